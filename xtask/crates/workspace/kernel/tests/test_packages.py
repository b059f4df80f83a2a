"""What is asked for, what is there, where packages come from, and the overlays they go to."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from index_settings import complete
from notebook_kernel.paths import PathMap
from notebook_kernel.requirements import NotUnderstood, is_satisfied, read, read_line

KERNEL = Path(__file__).resolve().parent.parent / "python"


@pytest.fixture
def paths(tmp_path: Path) -> PathMap:
    return PathMap({"/Workspace": str(tmp_path / "files"), "/Volumes": str(tmp_path / "volumes")})


def test_paths_are_real_and_options_stay(paths, tmp_path) -> None:
    files = tmp_path / "files/nb"
    files.mkdir(parents=True)
    (files / "more.txt").write_text(
        "# a comment\n--extra-index-url https://x/simple\n./b.whl  # beside it\n"
        "pandas>=2 ; python_version > '3'\nnumpy==2.0 \\\n    --hash=sha256:00\n-c limits.txt\n"
    )
    wanted = read(["-q", "-r", "more.txt", "/Volumes/c/s/v/a.whl", "t @ file:///Volumes/t.whl"], paths, str(files))
    assert wanted.requirements == [
        str(files / "b.whl"),
        "pandas>=2 ; python_version > '3'",
        "numpy==2.0",
        str(tmp_path / "volumes/c/s/v/a.whl"),
        f"t @ file://{tmp_path}/volumes/t.whl",
    ]
    assert wanted.options == ["-q", "--extra-index-url", "https://x/simple", "-c", str(files / "limits.txt")]


@pytest.mark.parametrize("words", [["--target=/x"], ["--user"], ["-r"]])
def test_what_cannot_be_followed_is_said(paths, words) -> None:
    with pytest.raises(NotUnderstood):
        read(words, paths)


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("ipython", True),
        ("ipython>=8", True),
        ("ipython<1", False),
        ("surely-not-a-package", False),
        ("surely-not-a-package; python_version < '3'", True),
        ("ipython[surely-no-extra]", True),
        ("/x/ipython.whl", False),
        ("ipython @ https://x/ipython.whl", False),
    ],
)
def test_what_is_there_is_known(text, there) -> None:
    assert is_satisfied(text) is there


def test_an_upgrade_is_never_there_already(paths) -> None:
    assert read(["-U", "ipython"], paths).missing() == ["ipython"]
    assert read(["ipython"], paths).missing() == []
    assert read_line("-e ./x", paths, "/Workspace/a").editable[0].endswith("files/a/x")


def settings(home: Path, **environment: str) -> dict[str, str]:
    complete(environment, home)
    return {name: value for name, value in environment.items() if "INDEX" in name and name.startswith("PIP_")}


def test_pips_own_settings_win_over_uvs(tmp_path) -> None:
    url = "https://mine/simple"
    assert settings(tmp_path, PIP_INDEX_URL=url, UV_INDEX_URL="https://uv/simple") == {"PIP_INDEX_URL": url}
    assert settings(tmp_path, UV_DEFAULT_INDEX=url) == {"PIP_INDEX_URL": url}
    assert settings(tmp_path, UV_OFFLINE="1") == {"PIP_NO_INDEX": "1"}


def test_credentials_of_a_named_index_are_found(tmp_path) -> None:
    found = settings(
        tmp_path, UV_INDEX="inner=https://h/simple", UV_INDEX_INNER_USERNAME="me", UV_INDEX_INNER_PASSWORD="p@ss"
    )
    assert found == {"PIP_EXTRA_INDEX_URL": "https://me:p%40ss@h/simple"}


def test_the_users_uv_file_counts_where_pip_says_nothing(tmp_path) -> None:
    (tmp_path / ".config/uv").mkdir(parents=True)
    (tmp_path / ".config/uv/uv.toml").write_text(
        '[[index]]\nname = "a"\nurl = "https://a/simple"\ndefault = true\n[[index]]\nname = "b"\nurl = "https://b/s"\n'
    )
    expected = {"PIP_INDEX_URL": "https://a/simple", "PIP_EXTRA_INDEX_URL": "https://b/s"}
    if not Path("/etc/pip.conf").exists():
        assert settings(tmp_path) == expected
    (tmp_path / ".config/pip").mkdir()
    (tmp_path / ".config/pip/pip.conf").write_text("[global]\nindex-url = https://pip/simple\n")
    assert settings(tmp_path) == {}


def make_wheel(folder: Path, version: str) -> Path:
    """A wheel of one module."""
    file = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr("tiny.py", f"VERSION = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return file


def install(tmp_path: Path, arguments: list[str], base: list[str]) -> tuple[list[str], dict]:
    """What the installer says, and its answer."""
    done = subprocess.run(
        [sys.executable, str(KERNEL / "overlays.py"), str(tmp_path / "overlays")],
        input=json.dumps({"arguments": ["--no-index", *arguments], "base": base}) + "\n",
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    *said, answer = done.stdout.splitlines()
    return said, json.loads(answer)


def test_an_overlay_lies_over_the_other_and_is_used_again(tmp_path) -> None:
    pytest.importorskip("pip")
    old, new = make_wheel(tmp_path, "1.0"), make_wheel(tmp_path, "2.0")
    _, first = install(tmp_path, [str(old)], [])
    _, second = install(tmp_path, [str(new)], first["paths"])
    assert second["paths"][1:] == first["paths"]
    found = [(Path(path) / "tiny.py").read_text() for path in second["paths"]]
    assert found == ["VERSION = '2.0'\n", "VERSION = '1.0'\n"]
    said, again = install(tmp_path, [str(old)], [])
    assert again == first
    assert said[0].startswith("Using cached packages")
    # The same name with another content is another overlay.
    with zipfile.ZipFile(old, "a") as wheel:
        wheel.writestr("more.py", "")
    assert install(tmp_path, [str(old)], [])[1] != first
    said, failed = install(tmp_path, ["surely-not-a-package"], [])
    assert "no package index has surely-not-a-package" in failed["error"]
    assert len([path for path in (tmp_path / "overlays").iterdir() if path.is_dir()]) == 3


BLOCK = '# /// script\n# [tool.databricks.environment]\n# dependencies = ["ipython", "tiny"]\n# ///\n'


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, ["Already in the project's environment: ipython", "Installing: tiny"]),
        ({"notebook_environment": "there is no such cluster"}, ["Not installed: ipython, tiny.", "no such cluster"]),
        ({"kind": "python_file"}, ["Not installed: ipython, tiny.", "environment_key or libraries"]),
        ({"prepared": True}, []),
    ],
)
def test_what_the_code_asks_for_is_installed_or_told(run, fields, said) -> None:
    outcome = run(BLOCK + "print('ran')\n", **fields)
    told = "\n".join(event["text"] for event in outcome.all("environment"))
    for text in said:
        assert text in told
    # There is no workspace to install what is missing.
    assert (outcome.code, outcome.printed) == ((1, "") if not fields else (0, "ran\n"))
