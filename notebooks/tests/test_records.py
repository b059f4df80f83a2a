import hashlib
import os
from pathlib import Path

import pytest

from mlops_stacks import files, records

TAG_KEYS = [value for name, value in vars(records).items() if name.isupper() and str(value).startswith("mlops_")]


def test_artifact_digest_is_of_paths_lengths_and_contents(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(b"two")
    (tmp_path / "a").write_bytes(b"one!")
    one, two = hashlib.sha256(b"one!").hexdigest(), hashlib.sha256(b"two").hexdigest()
    whole = f"a\x004\x00{one}\nb/c\x003\x00{two}\n"
    expected = "sha256:" + hashlib.sha256(whole.encode()).hexdigest()
    assert records.artifact_digest(str(tmp_path)) == expected
    (tmp_path / records.ADDED_BY_REGISTRY).write_text("added on upload")
    assert records.artifact_digest(str(tmp_path)) == expected
    (tmp_path / "a").write_bytes(b"one?")
    assert records.artifact_digest(str(tmp_path)) != expected


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://token@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://x:y@host:8443/a/b", "https://host:8443/a/b"),
        ("https://github.com/a/b.git", "https://github.com/a/b.git"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("", ""),
    ],
)
def test_credentials_are_taken_out_of_addresses(given, kept):
    assert records.without_credentials(given) == kept


def test_unknown_origin_writes_no_tags_and_long_values_are_cut():
    assert records.Origin().tags() == {}
    value = records.Origin(git_branch="b" * 2000).tags()[records.GIT_BRANCH]
    assert (len(value), value[-1]) == (1000, "…")


def test_a_value_neither_begins_nor_ends_with_a_space():
    assert records.shortened(" as version 1: ") == "as version 1:"
    assert len(records.shortened(" " + "ä" * 1001)) == records.MAX_VALUE


def test_tag_keys_are_ones_that_unity_catalog_takes():
    assert len(TAG_KEYS) == 19
    assert all(key.replace("_", "").isalnum() and key.islower() for key in TAG_KEYS)


def test_a_write_that_fails_keeps_the_old_file(tmp_path):
    path = str(tmp_path / "new" / "file")
    with files.replaced(path) as file:
        file.write(b"old")
    with pytest.raises(ZeroDivisionError), files.replaced(path) as file:  # noqa: PT012
        file.write(b"half of the n")
        raise ZeroDivisionError
    assert Path(path).read_bytes() == b"old"
    assert os.listdir(tmp_path / "new") == ["file"]
