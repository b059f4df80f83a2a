"""Start of a notebook process: `python start.py --home DIR [--warm FILE]`, the request on stdin."""

import atexit
import os
import sys

# Registered before anything else is imported: what is registered first runs last.
last_words: list = []
atexit.register(lambda: [say() for say in last_words])

# IPython and the SDK, where the project's own environment lacks them.
if kernel_packages := os.environ.pop("XTASK_KERNEL_PACKAGES", ""):
    sys.path.append(kernel_packages)

from notebook_kernel.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], last_words))
