"""What the tests of the pages share: a browser that is signed in, and a look at what it complains about.

Run by `cargo xtask ci --only browser`, which names the programs in the environment. The tests look at the local
workspace of this clone, and train there first where nothing was trained yet.
"""

import json
import os
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = os.environ["XTASK_TEST_CHROMIUM"]
# The first paint of MLflow's pages loads several megabytes of JavaScript.
PATIENCE_MS = 60_000


def xtask(*args: str) -> str:
    """The answer of `cargo xtask ARGS`."""
    return subprocess.run([os.environ["CARGO"], "xtask", *args], check=True, stdout=subprocess.PIPE, text=True).stdout


class Workspace:
    """The local workspace as a client sees it."""

    def __init__(self) -> None:
        lines = [line.removeprefix("export ") for line in xtask("workspace", "env").splitlines()]
        env = dict(line.split("=", 1) for line in lines if "=" in line)
        self.url = env["DATABRICKS_HOST"].strip("'\"")
        self._token = env["DATABRICKS_TOKEN"].strip("'\"")

    def call(self, path: str, body: dict | bytes | None = None) -> dict:
        """POSTs a body, or GETs without one."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=data)
        request.add_header("Authorization", f"Bearer {self._token}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as reply:
            return json.loads(reply.read() or b"{}")

    def job(self, name: str, source: str, **settings: object) -> int:
        """A job of one notebook."""
        folder = "/Users/ml.developer@workspace.local/browser"
        self.call("/api/2.0/workspace/mkdirs", {"path": folder})
        escaped = f"/Workspace{folder}/{name}.py".replace("/", "%2F")
        notebook = f"# Databricks notebook source\n{source}".encode()
        self.call(f"/api/2.0/workspace-files/import-file/{escaped}?overwrite=true", notebook)
        task = {"task_key": "only", "notebook_task": {"notebook_path": f"{folder}/{name}"}}
        return self.call("/api/2.2/jobs/create", {"name": name, "tasks": [task], **settings})["job_id"]


@pytest.fixture(scope="session")
def results() -> dict:
    """What `cargo xtask test` says of the training job."""
    # Outside of CI an unchanged run is looked at again instead of trained again.
    os.environ.pop("CI", None)
    return json.loads(xtask("test", "integration", "--json"))["integration"]


@pytest.fixture(scope="session")
def workspace(results: dict) -> Workspace:
    return Workspace()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-proxy-server"],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def session(browser: Browser, results: dict) -> dict:
    """The cookie of a browser that followed a sign-in link."""
    context = browser.new_context()
    context.new_page().goto(xtask("workspace", "open", "/").strip(), timeout=PATIENCE_MS)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def new_page(browser: Browser, session: dict) -> Iterator[Callable[..., Page]]:
    """Opens signed-in pages; fails where a page of ours had an error or broke its policy."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(**options: object) -> Page:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = browser.new_context(storage_state=session, **options)
        contexts.append(context)
        page = context.new_page()

        def complain(text: str) -> None:
            # MLflow's own pages have their own faults.
            if not urlsplit(page.url).path.startswith("/mlflow"):
                complaints.append(f"{page.url}: {text}")

        page.on("pageerror", lambda error: complain(str(error)))
        page.on("console", lambda message: complain(message.text) if message.type == "error" else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()
