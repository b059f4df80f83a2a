"""Where pip finds packages: as the user's own pip would, and where that is told nothing, as the user's uv does."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

# How often and how long pip tries, where the user says nothing: someone looks on, and wants to know soon.
RETRIES = "2"
TIMEOUT_SECONDS = "15"


def complete(environment: MutableMapping[str, str], home: Path) -> None:
    """Adds to pip's variables what uv's say. pip's own win, then uv's variables, then the files of either."""
    environment.setdefault("PIP_RETRIES", RETRIES)
    environment.setdefault("PIP_DEFAULT_TIMEOUT", TIMEOUT_SECONDS)
    settings = _of_uv_variables(environment)
    if not settings and not _pip_has_index(environment, home):
        settings = _of_uv_file(environment, home)
    for name, value in settings.items():
        environment.setdefault(name, value)


def _of_uv_variables(environment: Mapping[str, str]) -> dict[str, str]:
    index = environment.get("UV_DEFAULT_INDEX") or environment.get("UV_INDEX_URL")
    extra = (environment.get("UV_INDEX", "") + " " + environment.get("UV_EXTRA_INDEX_URL", "")).split()
    found: dict[str, str] = {}
    if index:
        found["PIP_INDEX_URL"] = _with_credentials(index, environment)
    if extra:
        found["PIP_EXTRA_INDEX_URL"] = " ".join(_with_credentials(entry, environment) for entry in extra)
    if links := environment.get("UV_FIND_LINKS"):
        found["PIP_FIND_LINKS"] = links.replace(",", " ")
    if environment.get("UV_OFFLINE") or environment.get("UV_NO_INDEX"):
        found["PIP_NO_INDEX"] = "1"
    return found


def _with_credentials(entry: str, environment: Mapping[str, str]) -> str:
    """uv writes `name=url`, and keeps user and password of a named index in variables of its own."""
    name, separator, url = entry.partition("=")
    if not separator or "/" in name:
        return entry
    return _signed(url, name, environment)


def _signed(url: str, name: str, environment: Mapping[str, str]) -> str:
    key = "".join(letter if letter.isalnum() else "_" for letter in name).upper()
    user = environment.get(f"UV_INDEX_{key}_USERNAME", "")
    password = environment.get(f"UV_INDEX_{key}_PASSWORD", "")
    parts = urlsplit(url)
    if not (user or password) or "@" in parts.netloc:
        return url
    credentials = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    return urlunsplit(parts._replace(netloc=f"{credentials}@{parts.netloc}"))


def _pip_has_index(environment: Mapping[str, str], home: Path) -> bool:
    if "PIP_INDEX_URL" in environment:
        return True
    files = [
        environment.get("PIP_CONFIG_FILE", ""),
        _config_home(environment, home) / "pip/pip.conf",
        home / ".pip/pip.conf",
        "/etc/pip.conf",
    ]
    return any("index-url" in _read(Path(file)) for file in files if file)


def _of_uv_file(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    file = environment.get("UV_CONFIG_FILE") or _config_home(environment, home) / "uv/uv.toml"
    try:
        settings: dict[str, Any] = tomllib.loads(_read(Path(file)))
    except tomllib.TOMLDecodeError:
        return {}
    pip = settings.get("pip", {})
    index = settings.get("index-url") or pip.get("index-url")
    extra = list(settings.get("extra-index-url") or pip.get("extra-index-url") or [])
    for entry in settings.get("index", []):
        url = _signed(entry.get("url", ""), entry.get("name", ""), environment)
        if entry.get("default"):
            index = url
        elif url and not entry.get("explicit"):
            extra.append(url)
    found = {"PIP_INDEX_URL": index} if index else {}
    return found | ({"PIP_EXTRA_INDEX_URL": " ".join(extra)} if extra else {})


def _config_home(environment: Mapping[str, str], home: Path) -> Path:
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""


def of_process() -> dict[str, str]:
    """The environment of this process, completed: pip's child processes get it."""
    environment = dict(os.environ)
    complete(environment, Path(environment.get("HOME", "/")))
    return environment
