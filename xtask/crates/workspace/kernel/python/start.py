"""Start of a notebook process: `python start.py [--warm mlflow,pandas]`, the request on stdin."""

import sys

from notebook_kernel.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
