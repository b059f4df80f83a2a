"""Start of a notebook process: `python start.py --home DIR [--warm FILE]`, the request on stdin."""

import atexit
import sys

# Registered before anything else is imported: what is registered first runs last.
last_words: list = []
atexit.register(lambda: [say() for say in last_words])

from notebook_kernel.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], last_words))
