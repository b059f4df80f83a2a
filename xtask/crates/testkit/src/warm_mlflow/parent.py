"""Imports MLflow's server once and forks a server for each workspace of the tests: importing takes four seconds.

Each connection to the socket brings a command line, a folder, an environment, and the three standard streams of the
process that asked. It stays open while both live: whichever ends first ends the other.
"""

import json
import os
import random
import runpy
import shutil
import signal
import socket
import sys
import threading
import time

GRACE_SECONDS = 5


def main(path: str) -> None:
    """Serves until standard input is closed: the tests are over. Then the folder of the socket goes, too."""
    threading.Thread(target=_end_with_tests, args=(os.path.dirname(path),), daemon=True).start()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Listens before it imports: who asks meanwhile waits, instead of importing as well.
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + ".new")
    listener.listen(64)
    os.rename(path + ".new", path)
    import mlflow.server.fastapi_app  # noqa: F401
    import uvicorn  # noqa: F401

    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _serve(connection)
        connection.close()


def _end_with_tests(folder: str) -> None:
    while os.read(0, 4096):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _serve(connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    request, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    asked = json.loads(request)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = asked["arguments"]
    sys.path[0] = os.path.dirname(sys.argv[0])
    random.seed()
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        os._exit(ended.code if isinstance(ended.code, int) else 1)
    os._exit(0)


def _end_with(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
