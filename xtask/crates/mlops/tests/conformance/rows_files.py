"""Workspace files, volumes and who one is."""

import base64
import io
import json
from pathlib import Path

from clients import CLI, SDK, Clients, refusal
from table import row

NOTEBOOK = "# Databricks notebook source\nprint('hello')\n"


@row("Identity", "the current user", writes="", reads=f"{CLI}, {SDK}")
def the_current_user(clients: Clients, name: str) -> None:
    me = clients.sdk.current_user.me()
    assert me.user_name
    assert clients.cli("current-user", "me")["id"] == me.id


@row("Workspace files", "a notebook, imported as source", writes=CLI, reads=SDK)
def a_notebook_as_source(clients: Clients, name: str) -> None:
    from databricks.sdk.service.workspace import ExportFormat, ObjectType

    file = clients.folder / f"{name}.py"
    file.write_text(NOTEBOOK)
    path = f"{clients.home}/{name}"
    clients.cli("workspace", "import", path, "--file", file, "--format", "SOURCE", "--language", "PYTHON")
    assert clients.sdk.workspace.get_status(path).object_type == ObjectType.NOTEBOOK
    exported = clients.sdk.workspace.export(path, format=ExportFormat.SOURCE).content
    assert base64.b64decode(exported).decode() == NOTEBOOK


@row("Workspace files", "a file is a file, a notebook loses its extension", writes=SDK, reads=CLI)
def a_file_is_a_file(clients: Clients, name: str) -> None:
    from databricks.sdk.service.workspace import ImportFormat

    for file, text in (("code.py", "x = 1\n"), ("work.py", NOTEBOOK)):
        path = f"{clients.home}/{name}/{file}"
        clients.sdk.workspace.mkdirs(f"{clients.home}/{name}")
        clients.sdk.workspace.upload(path, io.BytesIO(text.encode()), format=ImportFormat.AUTO)
    listed = {
        entry["path"]: entry["object_type"] for entry in clients.cli("workspace", "list", f"{clients.home}/{name}")
    }
    assert listed == {f"{clients.home}/{name}/code.py": "FILE", f"{clients.home}/{name}/work": "NOTEBOOK"}


@row("Workspace files", "a folder with its files", writes=CLI, reads=SDK)
def a_folder(clients: Clients, name: str) -> None:
    folder = clients.folder / name
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "deep" / "er" / "b.bin").write_bytes(bytes(range(256)))
    clients.cli("workspace", "import-dir", folder, f"{clients.home}/{name}")
    root = f"{clients.home}/{name}"
    paths = {entry.path for entry in clients.sdk.workspace.list(root, recursive=True)}
    assert paths == {f"{root}/a.txt", f"{root}/deep/er/b.bin"}
    assert clients.sdk.workspace.download(f"{root}/deep/er/b.bin").read() == bytes(range(256))


@row("Workspace files", "sync of a folder, and of what was removed from it", writes=CLI, reads=SDK)
def sync(clients: Clients, name: str) -> None:
    folder = clients.folder / name
    folder.mkdir()
    for file in ("stays.txt", "goes.txt"):
        (folder / file).write_text(file)
    root = f"{clients.home}/{name}"
    clients.cli("sync", folder, root)
    assert {entry.path for entry in clients.sdk.workspace.list(root)} == {f"{root}/stays.txt", f"{root}/goes.txt"}
    (folder / "goes.txt").unlink()
    clients.cli("sync", folder, root)
    assert {entry.path for entry in clients.sdk.workspace.list(root)} == {f"{root}/stays.txt"}


@row("Workspace files", "what is deleted is gone", writes=SDK, reads=CLI)
def deleted_files(clients: Clients, name: str) -> None:
    path = f"{clients.home}/{name}"
    clients.sdk.workspace.mkdirs(f"{path}/inner")
    assert clients.cli("workspace", "get-status", path)["object_type"] == "DIRECTORY"
    clients.sdk.workspace.delete(path, recursive=True)
    with refusal("doesn't exist"):
        clients.cli("workspace", "get-status", path)


def volume(clients: Clients, name: str) -> str:
    """The folder of a new volume."""
    from databricks.sdk.service.catalog import VolumeType

    schema(clients, name)
    clients.sdk.volumes.create("conformance", name, "files", VolumeType.MANAGED)
    return f"/Volumes/conformance/{name}/files"


def schema(clients: Clients, name: str) -> str:
    """The full name of a new schema."""
    if not any(catalog.name == "conformance" for catalog in clients.sdk.catalogs.list()):
        clients.sdk.catalogs.create("conformance")
    return clients.sdk.schemas.create(name, "conformance").full_name


@row("Volumes", "a file", writes=SDK, reads=CLI)
def a_file_in_a_volume(clients: Clients, name: str) -> None:
    path = f"{volume(clients, name)}/a folder/números.bin"
    content = bytes(range(256)) * 100
    clients.sdk.files.create_directory(str(Path(path).parent))
    clients.sdk.files.upload(path, io.BytesIO(content), overwrite=True)
    target = clients.folder / f"{name}.bin"
    clients.cli("fs", "cp", f"dbfs:{path}", target)
    assert target.read_bytes() == content


@row("Volumes", "folders, copies and removals", writes=CLI, reads=SDK)
def folders_in_a_volume(clients: Clients, name: str) -> None:
    root = volume(clients, name)
    file = clients.folder / f"{name}.txt"
    file.write_text("content")
    clients.cli("fs", "mkdir", f"dbfs:{root}/inner")
    clients.cli("fs", "cp", file, f"dbfs:{root}/inner/one.txt")
    clients.cli("fs", "cp", f"dbfs:{root}/inner/one.txt", f"dbfs:{root}/inner/two.txt")
    clients.cli("fs", "rm", f"dbfs:{root}/inner/one.txt")
    listed = [(entry.name, entry.file_size) for entry in clients.sdk.files.list_directory_contents(f"{root}/inner")]
    assert listed == [("two.txt", 7)]
    assert clients.sdk.files.download(f"{root}/inner/two.txt").contents.read() == b"content"


@row("Workspace files", "a notebook in Jupyter's format", writes=SDK, reads=CLI)
def a_jupyter_notebook(clients: Clients, name: str) -> None:
    from databricks.sdk.service.workspace import ImportFormat

    cell = {"cell_type": "code", "source": ["print('hello')"], "metadata": {}, "outputs": [], "execution_count": None}
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    path = f"{clients.home}/{name}"
    clients.sdk.workspace.import_(
        path, content=base64.b64encode(notebook.encode()).decode(), format=ImportFormat.JUPYTER
    )
    exported = clients.folder / f"{name}.ipynb"
    clients.cli("workspace", "export", path, "--format", "JUPYTER", "--file", exported)
    assert ["".join(cell["source"]) for cell in json.loads(exported.read_text())["cells"]] == ["print('hello')"]


@row("Identity", "a service principal", writes=SDK, reads=CLI)
def a_service_principal(clients: Clients, name: str) -> None:
    made = clients.sdk.service_principals.create(display_name=name)
    shown = clients.cli("service-principals", "get", made.id)
    assert (shown["displayName"], shown["applicationId"]) == (name, made.application_id)
    clients.cli("service-principals", "delete", made.id)
    with refusal(made.id):
        clients.sdk.service_principals.get(made.id)


@row("Secrets", "a secret", writes=CLI, reads=SDK)
def a_secret(clients: Clients, name: str) -> None:
    clients.cli("secrets", "create-scope", name)
    clients.cli("secrets", "put-secret", name, "password", "--string-value", "taxi fares")
    value = clients.sdk.secrets.get_secret(name, "password").value
    assert base64.b64decode(value).decode() == "taxi fares"
    assert [secret.key for secret in clients.sdk.secrets.list_secrets(name)] == ["password"]


@row("Secrets", "access to a scope", writes=SDK, reads=CLI)
def access_to_a_scope(clients: Clients, name: str) -> None:
    from databricks.sdk.service.workspace import AclPermission

    clients.sdk.secrets.create_scope(name)
    clients.sdk.secrets.put_acl(name, "users", AclPermission.READ)
    entries = {entry["principal"]: entry["permission"] for entry in clients.cli("secrets", "list-acls", name)}
    assert entries["users"] == "READ"
