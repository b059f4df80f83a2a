"""IPython without Jupyter: its shell, with output going to the event log and true line numbers."""

from __future__ import annotations

import linecache
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from traitlets import Type
from traitlets.config import Config

from notebook_kernel import sh
from notebook_kernel.events import EventLog


class NotebookCompiler(CachingCompiler):
    """Compiles every cell under the notebook's own name, so that tracebacks point into its file."""

    notebook = "<notebook>"

    def cache(self, transformed_code: str, number: int = 0, raw_code: str | None = None) -> str:
        """The name under which a cell is compiled; its text is known from `open_notebook`."""
        return self.notebook

    def open_notebook(self, name: str, text: str) -> None:
        """Makes a notebook's whole text known to tracebacks and goes on under its name."""
        self.notebook = name
        lines = [line + "\n" for line in text.splitlines()]
        linecache.cache[name] = (len(text), None, lines, name)


class EventDisplayHook(DisplayHook):
    """The value of a cell's last expression becomes a display event."""

    def start_displayhook(self) -> None:
        """Nothing is printed around the value."""

    def write_output_prompt(self) -> None:
        """No prompt: the cell says where the value comes from."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        """Hands over all representations of the value."""
        self.shell.display_pub.publish(format_dict)

    def finish_displayhook(self) -> None:
        """Nothing to close."""


class EventDisplayPublisher(DisplayPublisher):
    """`display(...)` becomes a display event."""

    events: EventLog | None = None

    def publish(self, data: dict[str, Any], metadata: Any = None, **kwargs: Any) -> None:
        """Writes one display; output printed before it comes first."""
        if self.events is None:
            return
        for stream in self.shell.streams:
            stream.flush()
        self.events.display({mime: _text(value) for mime, value in data.items()})

    def clear_output(self, wait: bool = False) -> None:
        """A log is not cleared."""


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        import base64

        return base64.b64encode(value).decode("ascii")
    return value


class NotebookShell(InteractiveShell):
    """The interpreter of one notebook."""

    displayhook_class = Type(EventDisplayHook)
    display_pub_class = Type(EventDisplayPublisher)
    compiler_class = Type(NotebookCompiler)
    streams: tuple[Any, ...] = ()
    first_line = 1
    failure_text: list[str] | None = None

    def transform_cell(self, raw_cell: str) -> str:
        """Python for the cell's text, moved down to the line it has in the file."""
        return "\n" * (self.first_line - 1) + super().transform_cell(raw_cell)

    def run_source(self, source: str, line: int) -> ExecutionResult:
        """Runs a cell's text that starts on that line of the notebook."""
        self.failure_text = None
        self.first_line = line
        return self.run_cell(source, store_history=False)

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        """Kept rather than printed: whoever runs the cell decides whether it is a failure."""
        self.failure_text = stb.splitlines() if isinstance(stb, str) else list(stb)

    def _tee(self, channel: str) -> AbstractContextManager[None]:
        """IPython keeps all that a cell prints in its history: in a log that is bounded nothing would be gained."""
        return nullcontext()

    def system(self, cmd: str) -> None:
        """`!command`: like a cell of `%sh`, with `$names` filled in."""
        # Two frames up is the cell whose names they are, as in IPython's own.
        self.user_ns["_exit_code"] = sh.stream(["/bin/bash", "-c", self.var_expand(cmd, depth=1)])

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no event loop of a window system."""


def make_shell(folder: str) -> NotebookShell:
    """The shell; what IPython wants to keep on disk goes below `folder`."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "linux"
    config.InteractiveShell.xmode = "Context"
    config.InteractiveShell.cache_size = 0
    config.InteractiveShell.automagic = False
    return NotebookShell.instance(config=config, ipython_dir=folder)
