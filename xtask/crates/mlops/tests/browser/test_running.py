"""A run while it goes on: the page follows it, and the reader keeps their place; its buttons work."""

import re

from conftest import PATIENCE_MS, Workspace
from playwright.sync_api import Page, expect

SLOW = """
import time
for number in range(60):
    print("line", number)
# COMMAND ----------
time.sleep(4)
print("half")
# COMMAND ----------
time.sleep(2)
"""
ENDLESS = "import time\nprint('on')\ntime.sleep(600)\n"
FAILS_ONCE = "if dbutils.widgets.get('fail') == 'yes':\n    raise ValueError('asked to fail')\nprint('well')\n"


def start(page: Page, workspace: Workspace, job_id: int) -> None:
    page.goto(f"{workspace.url}/jobs/{job_id}")
    page.get_by_role("button", name="Run now").click()
    page.wait_for_url(re.compile(r"/runs/\d+$"))


def state(page: Page):
    return page.locator("h1 + [role=status]")


def test_a_run_is_followed_without_losing_the_readers_place(page: Page, workspace: Workspace) -> None:
    page.set_viewport_size({"width": 1280, "height": 400})
    parameters = [{"name": "fail", "default": "no"}]
    start(page, workspace, workspace.job("slow", SLOW, parameters=parameters))
    unfold = page.locator("details.rest > summary")
    unfold.wait_for(timeout=PATIENCE_MS)
    unfold.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("line 59")).to_be_visible()
    place = page.evaluate("window.scrollY")
    assert place > 0, "the page is longer than the window"

    expect(page.get_by_text("half", exact=True)).to_be_attached(timeout=PATIENCE_MS)
    expect(state(page)).to_have_text("Succeeded", timeout=PATIENCE_MS)
    expect(unfold).to_be_focused()
    expect(page.get_by_text("line 59")).to_be_visible()
    assert abs(page.evaluate("window.scrollY") - place) < 60, "the page jumped"
    expect(page.locator("#content")).to_have_attribute("data-live", "false")
    expect(page.get_by_role("button", name="Cancel run")).to_have_count(0)


def test_a_run_is_cancelled_by_its_button(page: Page, workspace: Workspace) -> None:
    start(page, workspace, workspace.job("endless", ENDLESS))
    expect(state(page)).to_have_text("Running", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Cancel run").click()
    expect(state(page)).to_have_text("Canceled", timeout=PATIENCE_MS)


def test_a_failed_run_is_repaired_with_another_parameter(page: Page, workspace: Workspace) -> None:
    parameters = [{"name": "fail", "default": "yes"}]
    start(page, workspace, workspace.job("fails_once", FAILS_ONCE, parameters=parameters))
    expect(state(page)).to_have_text("Failed", timeout=PATIENCE_MS)
    expect(page.get_by_text("ValueError: asked to fail").first).to_be_visible()
    page.locator("summary", has_text="Repair").click()
    page.locator("summary", has_text="With other parameters").click()
    page.get_by_label("fail", exact=True).fill("no")
    page.get_by_role("button", name="Repair run").click()
    expect(state(page)).to_have_text("Succeeded", timeout=PATIENCE_MS)
    expect(page.get_by_role("rowheader", name="Repair 1")).to_be_visible()
    expect(page.get_by_text("attempt 2", exact=True)).to_be_visible()
