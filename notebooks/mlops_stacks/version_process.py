"""One model version in a process of its own: `python -P version_process.py`, asked through its standard input.

A version may bring modules of its own, and a copy of this package among them. It is to run those and no others, so this
file is run as it is and imports nothing of the package.

A message is its length in 8 bytes, then its content. The first request is the path of the version's folder; each one
after it is a table of rows, in Arrow's stream format. An answer is `+` and the predictions (float64, row by row), none for the
folder; or `-` and what was raised: one line, then the traceback.
"""

import os
import struct
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow.pyfunc import PyFuncModel

LENGTH = struct.Struct("<Q")


def send(stream: BinaryIO, content: bytes) -> None:
    """Writes one message."""
    stream.write(LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def receive(stream: BinaryIO) -> bytes | None:
    """Reads one message; None where the other side has ended."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    content = stream.read(length)
    return content if len(content) == length else None


def load(folder: str) -> "PyFuncModel":
    """The model in a folder."""
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(folder)


def predictions(model: "PyFuncModel", rows: "pd.DataFrame") -> "np.ndarray":
    """The numbers for each row, row by row, whatever shape the model answers in."""
    import numpy as np

    answer = np.asarray(model.predict(rows), dtype=float)
    if answer.ndim == 0 or len(answer) != len(rows):
        raise ValueError(f"{len(answer) if answer.ndim else 1} predictions for {len(rows)} rows")
    return answer.reshape(-1)


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Loads the version that is named first, and predicts until there are no more requests."""
    model = None
    while (request := receive(requests)) is not None:
        try:
            if model is None:
                model = load(request.decode())
                answer = b""
            else:
                import pyarrow as pa

                answer = predictions(model, pa.ipc.open_stream(request).read_pandas()).tobytes()
        except BaseException as error:  # what a model's own code may raise is not known here
            what = " ".join(f"{type(error).__name__}: {error}".split())
            send(replies, f"-{what}\n{traceback.format_exc()}".encode(errors="replace"))
            if model is None:
                return
        else:
            send(replies, b"+" + answer)


def main() -> None:
    """Keeps the two streams to itself: what a model prints goes to standard error."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    for module in ("mlflow.pyfunc", "pyarrow"):  # while the version's files are fetched
        import_module(module)
    serve(requests, replies)


if __name__ == "__main__":
    sys.exit(main())
