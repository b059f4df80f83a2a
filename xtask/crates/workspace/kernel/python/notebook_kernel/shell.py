"""IPython without Jupyter: its shell, with output going to the event log and true line numbers."""

from __future__ import annotations

import linecache
import sys
from contextlib import AbstractContextManager, nullcontext
from types import CodeType
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from traitlets import Type
from traitlets.config import Config

from notebook_kernel import sh
from notebook_kernel.events import EventLog
from notebook_kernel.words import lines as lines_of

CELL = InteractiveShell.run_cell.__code__
CELL_MAGIC = InteractiveShell.run_cell_magic.__code__
MAGICS = (CELL_MAGIC, InteractiveShell.run_line_magic.__code__)


class NotebookCompiler(CachingCompiler):
    """Compiles every cell under the notebook's own name, so that tracebacks point into its file."""

    notebook = "<notebook>"

    def cache(self, transformed_code: str, number: int = 0, raw_code: str | None = None) -> str:
        """The name under which a cell is compiled; its text is known from `open_notebook`."""
        return self.notebook

    def open_notebook(self, name: str, text: str) -> None:
        """Makes a notebook's whole text known to tracebacks and goes on under its name."""
        self.notebook = name
        lines = _with_ends(text)
        linecache.cache[name] = (len(text), None, lines, name)


class NotebookTransformer(TransformerManager):
    """Makes Python of a cell's text as IPython does, with lines that end where Python's end."""

    def transform_cell(self, cell: str) -> str:
        """The cell without magics."""
        lines = _with_ends(cell)
        for transform in (*self.cleanup_transforms, *self.line_transforms):
            # Some of IPython's split lines themselves.
            lines = _with_ends("".join(transform(lines)))
        return "".join(self.do_token_transforms(lines))


def _with_ends(text: str) -> list[str]:
    return [line + "\n" for line in lines_of(text.removesuffix("\n"))]


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
    _shown: BaseException | None = None

    def transform_cell(self, raw_cell: str) -> str:
        """Python for the cell's text, moved down to the line it has in the file."""
        # What a cell magic runs stands below its line.
        above = self.first_line - 1 + (1 if _innermost(CELL_MAGIC) else 0)
        return "\n" * above + super().transform_cell(raw_cell)

    def run_source(self, source: str, line: int) -> BaseException | None:
        """Runs a cell's text that starts on that line of the notebook, and gives back what ended it early."""
        self.failure_text = self._shown = None
        text = source.lstrip()
        # IPython drops blank lines at the top.
        self.first_line = line + source[: len(source) - len(text)].count("\n")
        result = self.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if error is None and self.failure_text:
            # The code went on: what IPython has to show of it is output.
            print(*self.failure_text, sep="\n", file=sys.stderr)
        return error

    def run_cell(self, *arguments: Any, **options: Any) -> ExecutionResult:
        """Runs code. What fails in code that a magic runs ends the cell, where IPython shows it and goes on."""
        result = super().run_cell(*arguments, **options)
        if not result.success and _innermost(CELL, *MAGICS) in MAGICS:
            result.raise_error()
        return result

    def showtraceback(self, exc_tuple: Any = None, *arguments: Any, **options: Any) -> None:
        """Keeps an error's traceback. What a magic shows of its own ends the cell, too."""
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        if error is None or error is not self._shown:
            super().showtraceback(exc_tuple, *arguments, **options)
        self._shown = error
        if error is not None and _innermost(CELL, *MAGICS) in MAGICS:
            raise error

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        """Kept rather than printed: the caller decides whether it is a failure."""
        self.failure_text = lines_of(stb) if isinstance(stb, str) else list(stb)

    def _tee(self, channel: str) -> AbstractContextManager[None]:
        """IPython keeps all that a cell prints in its history: in a log that is bounded nothing would be gained."""
        return nullcontext()

    def system(self, cmd: str) -> None:
        """`!command`: like a cell of `%sh`, with `$names` filled in."""
        # Two frames up is the cell whose names they are, as in IPython's own.
        self.user_ns["_exit_code"] = sh.stream(["/bin/bash", "-c", self.var_expand(cmd, depth=1)])

    def ask_exit(self) -> None:
        """`exit()` and `quit()`: a notebook is no session that is left."""
        raise RuntimeError("exit() and quit() do not end a notebook: use dbutils.notebook.exit(value)")

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no event loop of a window system."""


def _innermost(*codes: CodeType) -> CodeType | None:
    """Which of these functions was called last, of those that are under way."""
    frame = sys._getframe()
    while frame is not None and frame.f_code not in codes:
        frame = frame.f_back
    return frame.f_code if frame is not None else None


def make_shell(folder: str) -> NotebookShell:
    """The shell; what IPython wants to keep on disk goes below `folder`."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "linux"
    config.InteractiveShell.xmode = "Context"
    config.InteractiveShell.cache_size = 0
    config.InteractiveShell.automagic = False
    shell = NotebookShell.instance(config=config, ipython_dir=folder)
    shell.input_transformer_manager = NotebookTransformer()
    return shell
