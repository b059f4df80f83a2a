# Stands where MLflow's Python is expected. A server is forked from the process that has imported it already;
# everything else, and a server for which that process is not ready, runs in the Python itself.
import json
import os
import socket
import sys

PYTHON, PARENT = "@PYTHON@", "@PARENT@"


def main() -> None:
    arguments = sys.argv[1:]
    if arguments and os.path.basename(arguments[0]) == "mlflow_server.py":
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(PARENT)
            asked = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
            socket.send_fds(connection, [json.dumps(asked).encode()], [0, 1, 2])
        except OSError:
            pass
        else:
            # Only the server holds them now: closing them must reach it.
            for stream in (0, 1, 2):
                os.close(stream)
            connection.recv(1)
            os._exit(1)
    os.execv(PYTHON, [PYTHON, *arguments])


main()
