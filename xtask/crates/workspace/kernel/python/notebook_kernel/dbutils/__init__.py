"""`dbutils`, as far as a job on a laptop can have it."""

from __future__ import annotations

from notebook_kernel.context import EntryPoint, NotebookContext
from notebook_kernel.dbutils.data import Data
from notebook_kernel.dbutils.files import Files
from notebook_kernel.dbutils.jobs import Jobs
from notebook_kernel.dbutils.library import Library
from notebook_kernel.dbutils.notebook import Notebook
from notebook_kernel.dbutils.secrets import Secrets
from notebook_kernel.dbutils.widgets import Widgets
from notebook_kernel.dbutils.workflow import Workflow
from notebook_kernel.redaction import Redaction
from notebook_kernel.request import Request
from notebook_kernel.utility import Utility


class DBUtils(Utility):
    """The object that notebooks know as `dbutils`."""

    def __init__(self, request: Request, context: NotebookContext, redaction: Redaction) -> None:
        self.widgets = Widgets(request.parameters, request.widgets)
        self.entry_point = EntryPoint(context, self.widgets.bindings)
        self.data = Data()
        self.notebook = Notebook(self.entry_point, Workflow(request.identity.host, request.notebook))
        self.jobs = Jobs(request.identity.task_key, request.task_values, request.task_values_file)
        self.fs = Files()
        self.secrets = Secrets(request.identity.host, redaction)
        self.library = Library()
