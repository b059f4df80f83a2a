"""Makes a wheel of one module, without any build tool: `make_wheel.py FOLDER NAME VERSION [REQUIREMENT...]`.

Its function `main` prints its arguments and its version; the entry point `tell` is that function.
"""

import sys
import zipfile
from pathlib import Path

folder, name, version, *needs = sys.argv[1:]
SOURCE = f"""import sys

VERSION = {version!r}


def main():
    print("{name}", VERSION, sys.argv[1:])


def fail():
    raise ValueError("from the wheel")
"""
METADATA = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(
    f"Requires-Dist: {n}\n" for n in needs
)
WHEEL = "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
info = f"{name}-{version}.dist-info"
files = {
    f"{name}/__init__.py": SOURCE,
    f"{info}/METADATA": METADATA,
    f"{info}/WHEEL": WHEEL,
    f"{info}/entry_points.txt": f"[console_scripts]\ntell = {name}:main\n",
}
record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
Path(folder).mkdir(parents=True, exist_ok=True)
with zipfile.ZipFile(Path(folder) / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
    for path, text in {**files, f"{info}/RECORD": record}.items():
        # Always the same bytes for the same wheel.
        wheel.writestr(zipfile.ZipInfo(path), text)
