"""/Workspace and /Volumes as Python's file functions see them."""

from __future__ import annotations

from pathlib import Path

import pytest
from notebook_kernel.paths import PathMap


@pytest.fixture
def paths() -> PathMap:
    return PathMap({"/Workspace": "/state/files", "/Volumes": "/state/volumes"})


@pytest.mark.parametrize(
    ("virtual", "real"),
    [
        ("/Workspace/Users/a/x.py", "/state/files/Users/a/x.py"),
        ("/Volumes", "/state/volumes"),
        ("//Volumes/c", "/state/volumes/c"),
        ("/Volumes/c/../d", "/state/volumes/d"),
        (b"/Volumes/c", b"/state/volumes/c"),
        (Path("/Volumes/c"), "/state/volumes/c"),
    ],
)
def test_virtual_paths_lead_to_the_state_folder(paths: PathMap, virtual: object, real: object) -> None:
    assert paths.real(virtual) == real


@pytest.mark.parametrize(
    "path",
    ["/Volumes/../etc/passwd", "/Workspaces/x", "/VolumesOther", "Volumes/x", "/tmp/x", 3, None],
)
def test_other_paths_are_left_alone(paths: PathMap, path: object) -> None:
    assert paths.real(path) is path


def test_tracebacks_name_the_paths_people_know(paths: PathMap) -> None:
    assert paths.virtual_text('File "/state/files/a/b.py"') == 'File "/Workspace/a/b.py"'
    assert paths.virtual("/state/volumes/c") == "/Volumes/c"


def test_file_functions_inside_a_notebook(run) -> None:
    outcome = run(
        """
import glob, os, pathlib, shutil
base = "/Volumes/c/s/v/sub"
os.makedirs(base + "/deep")
with open(base + "/a.txt", "w") as file:
    file.write("hello")
pathlib.Path(base, "b.txt").write_text("there")
os.rename(base + "/b.txt", base + "/c.txt")
shutil.copytree(base, "/Volumes/c/s/v/copy")
os.symlink(base + "/a.txt", base + "/link")
print(sorted(os.listdir(base)), os.path.isfile(base + "/c.txt"))
print(sorted(glob.glob("/Volumes/c/s/v/*/*.txt")))
print([(root, sorted(files)) for root, _, files in os.walk("/Volumes/c/s/v/copy")])
print([entry.path for entry in os.scandir("/Volumes/c/s/v/copy/") if entry.is_dir()])
shutil.rmtree("/Volumes/c/s/v/copy")
print(os.path.exists("/Volumes/c/s/v/copy"), open(base + "/link").read())
print(pathlib.Path(base).resolve())
"""
    )
    assert outcome.code == 0, outcome.events
    assert outcome.printed.splitlines() == [
        "['a.txt', 'c.txt', 'deep', 'link'] True",
        "['/Volumes/c/s/v/copy/a.txt', '/Volumes/c/s/v/copy/c.txt', "
        "'/Volumes/c/s/v/sub/a.txt', '/Volumes/c/s/v/sub/c.txt', '/Volumes/c/s/v/sub/link']".replace(
            ", '/Volumes/c/s/v/sub/link'", ""
        ),
        "[('/Volumes/c/s/v/copy', ['a.txt', 'c.txt']), ('/Volumes/c/s/v/copy/deep', [])]",
        "['/Volumes/c/s/v/copy/deep']",
        "False hello",
        "/Volumes/c/s/v/sub",
    ]


def test_imports_from_workspace_folders(run) -> None:
    (run.files / "lib").mkdir()
    (run.files / "lib/mine.py").write_text("VALUE = 5\n")
    outcome = run(
        """
import os, sys
sys.path.append("/Workspace/lib")
import mine
print(mine.VALUE)
%cd /Workspace/lib
print(os.path.exists("mine.py"))
# COMMAND ----------
print(any(entry.startswith("/Workspace") for entry in sys.path))
"""
    )
    assert [line for line in outcome.printed.splitlines() if "/" not in line] == ["5", "True", "False"]


def test_what_a_notebook_shows_names_the_paths_people_know(run) -> None:
    (run.files / "nb/mine.py").write_text("")
    outcome = run(
        """
import os, mine
print(os.getcwd(), mine.__file__)
display({"folder": os.getcwd()})
open("/dbfs/x.csv")
"""
    )
    assert outcome.printed == "/Workspace/nb /Workspace/nb/mine.py\n"
    assert outcome.all("display")[0]["data"]["text/plain"] == "{'folder': '/Workspace/nb'}"
    assert outcome.error["evalue"] == "[Errno 2] No such file or directory: '/dbfs/x.csv'"
    assert str(run.root) not in (outcome.folder / "events.jsonl").read_text()


def test_the_value_of_exit_names_them_too(run) -> None:
    outcome = run("import os\ndbutils.notebook.exit(os.path.abspath('x'))\n")
    assert outcome.all("exit")[0]["value"] == "/Workspace/nb/x"


def test_a_folder_beside_a_root_is_no_part_of_it(paths: PathMap) -> None:
    assert (
        paths.virtual_text("/state/files-old /state/files, /state/files") == "/state/files-old /Workspace, /Workspace"
    )
