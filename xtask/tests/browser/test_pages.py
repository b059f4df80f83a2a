"""A browser follows the address that `cargo xtask test` prints, to the metrics.

Run by `cargo xtask ci --only browser`, which names the programs in the environment. It looks at the
local workspace of this clone, and trains there first where nothing was trained yet.
"""

import json
import os
import subprocess
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = os.environ["XTASK_TEST_CHROMIUM"]
# The first paint of MLflow's pages loads several megabytes of JavaScript.
PATIENCE_MS = 60_000


def xtask(*args: str) -> str:
    """The answer of `cargo xtask ARGS`."""
    return subprocess.run([os.environ["CARGO"], "xtask", *args], check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="module")
def results() -> dict:
    # Outside of CI an unchanged run is looked at again instead of trained again.
    os.environ.pop("CI", None)
    return json.loads(xtask("test", "integration", "--json"))["integration"]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-proxy-server"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def open_signed_in(page: Page, url: str) -> None:
    parts = urlsplit(url)
    page.goto(xtask("workspace", "open", parts.path).strip(), timeout=PATIENCE_MS)


def test_the_printed_address_leads_to_the_metrics(page: Page, results: dict) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_signed_in(page, results["job_run"]["url"])
    for task in results["tasks"]:
        expect(page.get_by_text(task["key"], exact=True).first).to_be_visible()
    assert page.locator("img[src^='data:image/png']").count() > 0, "no plot on the run page"
    assert not errors, errors

    run_id = results["mlflow_run"]["run_id"]
    link = page.locator(f"a[href*='{run_id}']").first
    expect(link).to_be_visible()
    target = link.get_attribute("href")
    page.goto(page.evaluate("href => new URL(href, location).href", target), timeout=PATIENCE_MS)
    for metric in results["model"]["metrics"]:
        expect(page.get_by_text(metric, exact=True).first).to_be_visible(timeout=PATIENCE_MS)


def test_addresses_printed_by_test_answer(page: Page, results: dict) -> None:
    open_signed_in(page, results["job_run"]["url"])
    for url in (results["mlflow_run"]["url"], results["model"]["url"]):
        answer = page.goto(url, timeout=PATIENCE_MS)
        assert answer is None or answer.status == 200, url


def test_without_signing_in_a_page_says_what_to_do(page: Page, results: dict) -> None:
    answer = page.goto(results["job_run"]["url"])
    assert answer is not None
    assert answer.status == 401
    expect(page.get_by_text("cargo xtask workspace open")).to_be_visible()


def test_a_link_signs_in_once(browser: Browser, results: dict) -> None:
    link = xtask("workspace", "open", "/").strip()
    first, second = browser.new_context().new_page(), browser.new_context().new_page()
    answers = [page.goto(link) for page in (first, second)]
    assert [answer.status for answer in answers if answer] == [200, 401]
