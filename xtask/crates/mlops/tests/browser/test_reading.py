"""The pages for every reader: light and dark, narrow, by keyboard, without scripts, with a screen reader."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import PATIENCE_MS, Workspace
from playwright.sync_api import Page, expect


@pytest.fixture(scope="session")
def addresses(results: dict, workspace: Workspace) -> list[str]:
    """One address of each kind of page."""
    run = results["job_run"]["url"].split("?")[0].removeprefix(workspace.url)
    version = results["model"]["url"].split("?")[0].removeprefix(workspace.url)
    model = version.split("/version/")[0]
    catalog, schema = model.split("/")[4:6]
    job = run.split("/runs/")[0]
    return [
        "/",
        "/?show=failed",
        "/jobs",
        job,
        run,
        "/models",
        model,
        version,
        "/ml/experiments",
        "/explore/data",
        f"/explore/data/{catalog}/{schema}",
        "/browse/Users",
        "/jobs/1",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    new_page: Callable[..., Page], workspace: Workspace, addresses: list[str], scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    found = []
    for address in addresses[:-1]:
        page.goto(workspace.url + address)
        for details in page.locator("details").all():
            details.evaluate("element => { element.open = true }")
        answer = Axe().run(page, options={"iframes": False})
        found += [f"{address}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in answer.response["violations"]]
    assert not found, "\n".join(found)


def test_light_and_dark_differ(new_page: Callable[..., Page], workspace: Workspace) -> None:
    backgrounds = set()
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        page.goto(workspace.url)
        backgrounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(backgrounds) == 2


def test_nothing_sticks_out_of_a_narrow_screen(
    new_page: Callable[..., Page], workspace: Workspace, addresses: list[str]
) -> None:
    page = new_page(viewport={"width": 360, "height": 700})
    for address in addresses[:-1]:
        page.goto(workspace.url + address)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{address} is {width} wide"


def test_the_keyboard_gets_past_the_navigation(page: Page, workspace: Workspace) -> None:
    page.goto(workspace.url + "/jobs")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = page.evaluate("document.activeElement.closest('main') !== null")
    assert inside, "the next stop is in the content"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "where the keyboard is can be seen"


def test_without_scripts_everything_is_there(
    new_page: Callable[..., Page], workspace: Workspace, results: dict
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(workspace.url)
    run = re.findall(r"/runs/(\d+)", results["job_run"]["url"])[0]
    page.get_by_label("Go to a run, a job or a link").fill(f"#job/1/run/{run}")
    page.get_by_role("button", name="Go").click()
    for task in results["tasks"]:
        expect(page.locator("svg a", has_text=task["key"])).to_have_count(1)
        expect(page.get_by_role("rowheader", name=task["key"])).to_be_visible()
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_role("link", name=results["model"]["name"])).to_be_visible(timeout=PATIENCE_MS)


def test_the_reader_chooses_the_metric(page: Page, workspace: Workspace, results: dict) -> None:
    page.goto(results["model"]["url"].split("/version/")[0])
    metric = next(iter(results["model"]["metrics"]))
    page.get_by_label("Metric", exact=True).select_option(metric)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("columnheader", name=metric)).to_be_visible()
    assert page.locator("svg.chart a.dot").count() > 0
    expect(page.locator("td .alias", has_text="champion")).to_have_count(1)


def test_links_of_the_older_form_are_followed(page: Page, workspace: Workspace, results: dict) -> None:
    job, run = re.findall(r"/(?:jobs|runs)/(\d+)", results["job_run"]["url"])
    name = results["model"]["name"]
    path = "/explore/data/models/" + name.replace(".", "/")
    for link, lands in [
        (f"/?o=1#job/{job}/run/{run}", f"/jobs/{job}/runs/{run}"),
        (f"/#job/{job}", f"/jobs/{job}"),
        (f"/#mlflow/models/{name}", path),
        (f"/#mlflow/models/{name}/versions/1", f"{path}/version/1"),
    ]:
        page.goto("about:blank")
        page.goto(workspace.url + link)
        page.wait_for_url(f"**{lands}")


def test_html_of_notebooks_shows_in_its_frame(page: Page, results: dict) -> None:
    page.goto(results["job_run"]["url"])
    frame = page.locator("iframe.html").first
    frame.scroll_into_view_if_needed()
    expect(frame.content_frame.locator("table").first).to_be_visible()


def test_motion_is_left_out_for_who_asks(new_page: Callable[..., Page], workspace: Workspace) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto(workspace.url)
    page.evaluate("document.querySelector('h1').className = 'badge run'")
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).animationName") == "none"


def test_an_error_is_a_page_with_a_next_step(page: Page, workspace: Workspace) -> None:
    answer = page.request.get(workspace.url + "/jobs/1/runs/2", headers={"Accept": "text/html"})
    assert answer.status == 404
    assert "Go to" in answer.text()
