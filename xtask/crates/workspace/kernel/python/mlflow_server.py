"""MLflow's own server application on a Unix socket: one worker, no job runner.

`mlflow server` starts workers and consumers that one person's workspace has no use for, and listens
on a port that every user of the machine can reach.
"""

from __future__ import annotations

import os
import sys

import lifeline


def main(socket: str) -> None:
    """Serves until told to end. The socket's folder is what keeps other users out."""
    os.umask(0o077)
    lifeline.hold()
    import uvicorn

    uvicorn.run(
        "mlflow.server.fastapi_app:app",
        uds=socket,
        workers=1,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main(sys.argv[1])
