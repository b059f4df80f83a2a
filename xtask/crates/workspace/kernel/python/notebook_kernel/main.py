"""The process of a task: warms up, reads one request, runs it, and ends like any Python program."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import lifeline
from dbruntime import UserNamespaceInitializer
from dbruntime import dbutils as dbruntime_dbutils

from notebook_kernel import context, environment, imports, notebook, paths, process_log, program, spark, streams
from notebook_kernel.dbutils import DBUtils
from notebook_kernel.events import EventLog
from notebook_kernel.overlay import Overlay
from notebook_kernel.request import Request
from notebook_kernel.shell import NotebookShell, make_shell
from notebook_kernel.signals import Cancelled
from notebook_kernel.spark.session import Spark

FAILED = 1
RESTART = 75


def main(arguments: list[str], last_words: list[Callable[[], None]]) -> int:
    """Runs one notebook or Python file; the exit code is 0, 1 (a cell failed) or 75 (restart at a later cell).

    What is put into `last_words` runs when all that libraries registered for the end has run.
    """
    parser = argparse.ArgumentParser(prog="notebook-kernel")
    parser.add_argument("--warm", type=Path, help="file that names what to import ahead of the request")
    parser.add_argument("--home", required=True, help="folder for what IPython keeps")
    options = parser.parse_args(arguments)
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    signal.signal(signal.SIGTERM, _cancel)
    try:
        out, err = streams.install()
        shell = make_shell(options.home)
        shell.streams = (out, err)
        if options.warm is not None:
            imports.warm_up(options.warm)
        line = _read_request()
        if not line:
            # The workspace went away, or had no use for this process.
            return 0
        return _run(Request.read(line), shell, options.warm is not None, last_words)
    except Cancelled:
        return FAILED


def _read_request() -> str:
    """The one line on standard input, read byte by byte: what follows is the lifeline's."""
    data = bytearray()
    while (byte := os.read(0, 1)) and byte != b"\n":
        data += byte
    if byte:
        lifeline.hold()
    return data.decode("utf-8")


def _cancel(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second signal must not break the clean-up that the first began.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Cancelled


def _run(request: Request, shell: NotebookShell, is_warm: bool, last_words: list[Callable[[], None]]) -> int:
    process_log.redirect(request.process_log)
    path_map = paths.PathMap(request.roots)
    events = EventLog(request.events, path_map)
    ending = notebook.Ending(ok=False)
    session = spark.of_run(request, Path(shell.ipython_dir).parent)
    process = os.getpid()

    def finish() -> None:
        for stream in shell.streams:
            stream.flush()
        if os.getpid() != process:
            # A process that the code forked: the run, its MLflow run and its Spark session are not its to end.
            os._exit(_exit_code(ending))
        events.end_streams()
        if ending.next_cell is None:
            events.emit("finished", ok=ending.ok)
        logging.shutdown()
        if session is not None:
            session.stop()
        # Taking the interpreter apart would only cost time: everything has been told and written.
        os._exit(_exit_code(ending))

    last_words.append(finish)
    for stream in shell.streams:
        stream.connect(events.stream)
    shell.display_pub.events = events
    dbutils = DBUtils(request, context.install(request), events.redaction)
    notebook.prepare_imports(path_map, request.code_folder)
    overlay = Overlay(request.identity.host, request.overlays)
    names = {"dbutils": dbutils} | ({"spark": session.lazy} if session is not None else {})
    UserNamespaceInitializer.getOrCreate().fill(names)
    dbruntime_dbutils.install()
    try:
        if _prepare(request, overlay, path_map, events) and is_warm:
            # What was imported ahead may be what has just been replaced.
            ending = notebook.Ending(ok=True, next_cell=0)
        else:
            ending = _run_code(request, shell, events, dbutils, path_map, overlay, session=session)
    except Exception as error:  # the notebook could not even be read
        events.error(None, type(error).__name__, str(error), [])
    if os.getpid() != process:
        finish()
    _end_mlflow_run(ending)
    imports.remember(request.imports_file)
    if ending.next_cell is not None:
        _leave_restart(request, dbutils, overlay, ending.next_cell)
    return _exit_code(ending)


def _prepare(request: Request, overlay: Overlay, path_map: paths.PathMap, events: EventLog) -> bool:
    if request.prepared:
        return False
    wanted = request.dependencies + environment.of_code(request)
    folder = str(request.code_folder)
    return environment.prepare(wanted, folder, overlay, path_map, lambda line: events.emit("environment", text=line))


def _run_code(
    request: Request,
    shell: NotebookShell,
    events: EventLog,
    dbutils: DBUtils,
    path_map: paths.PathMap,
    overlay: Overlay,
    *,
    session: Spark | None,
) -> notebook.Ending:
    if request.kind == "notebook":
        run = notebook.NotebookRun(
            shell, events, dbutils, path_map, overlay, request.notebook, spark=session, identity=request.identity
        )
        return run.run(request.text(), request.start_cell)
    # Databricks' SDK and MLflow look for it here, too.
    shell.push({"dbutils": dbutils})
    run = program.ProgramRun(shell, events, request)
    return run.run_wheel() if request.kind == "python_wheel" else run.run_file(request.text())


def _exit_code(ending: notebook.Ending) -> int:
    if ending.next_cell is not None:
        return RESTART
    return 0 if ending.ok else FAILED


def _end_mlflow_run(ending: notebook.Ending) -> None:
    """An MLflow run that a failing cell left open has failed; at exit MLflow would call it finished."""
    mlflow = sys.modules.get("mlflow")
    if mlflow is None or ending.ok or mlflow.active_run() is None:
        return
    with contextlib.suppress(Exception):
        mlflow.end_run("KILLED" if ending.cancelled else "FAILED")


def _leave_restart(request: Request, dbutils: DBUtils, overlay: Overlay, next_cell: int) -> None:
    state = {
        "start_cell": next_cell,
        "widgets": dbutils.widgets.definitions(),
        "overlays": overlay.paths,
        "prepared": True,
    }
    with open(request.restart_file, "w") as file:
        json.dump(state, file)
