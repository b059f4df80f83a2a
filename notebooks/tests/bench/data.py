"""Measures the generator in a process of its own: `data.py seconds ROWS`, or `data.py megabytes ROWS` at its largest."""

import resource
import subprocess
import sys
import tempfile
import time


def main(what: str, rows: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        command = [sys.executable, "-m", "mlops_stacks.data", "make", "--out", folder, "--rows", rows]
        subprocess.run(command, check=True, stdout=sys.stderr)
        seconds = time.perf_counter() - began
    unit = 1 if sys.platform == "darwin" else 1024
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6
    sys.stderr.write(f"{seconds:.1f} s, {megabytes:.0f} MB\n")
    print(seconds if what == "seconds" else megabytes)


if __name__ == "__main__":
    main(*sys.argv[1:])
