"""`%sh` and `!command`: a shell's output appears as it is printed, and takes no more memory than a cell may print."""

from __future__ import annotations

import codecs
import os
import subprocess
import sys

READ_SIZE = 64 * 1024


def run_cell(script: str) -> None:
    """A cell of `%sh`, in the current folder.

    As on Databricks a script that fails does not fail the cell, unless it starts with `-e`.
    """
    strict = script.startswith(("-e\n", "-e "))
    if strict:
        script = script[2:].lstrip()
    # With -e the shell itself stops at the first command that fails, as it does there.
    code = stream(["/bin/bash", *(["-e"] if strict else []), "-c", script])
    if code and strict:
        raise RuntimeError(f"%sh -e: the script ended with exit code {code}")
    if code:
        print(f"[%sh ended with exit code {code}]", file=sys.stderr)


def stream(command: list[str]) -> int:
    """Runs a program and prints what it prints; answers its exit code."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    with process.stdout as pipe:
        while data := os.read(pipe.fileno(), READ_SIZE):
            sys.stdout.write(decoder.decode(data))
            if not data.endswith(b"\n"):
                # Half a line may be a prompt or a progress bar: show it at once.
                sys.stdout.flush()
    sys.stdout.write(decoder.decode(b"", final=True))
    return process.wait()
