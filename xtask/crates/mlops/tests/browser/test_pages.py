"""A browser follows the addresses that `cargo xtask test` prints, to the metrics."""

from conftest import PATIENCE_MS, xtask
from playwright.sync_api import Browser, Page, expect


def test_the_printed_address_leads_to_the_metrics(page: Page, results: dict) -> None:
    page.goto(results["job_run"]["url"])
    for task in results["tasks"]:
        expect(page.get_by_role("rowheader", name=task["key"], exact=True)).to_be_visible()
    assert page.locator("img[src^='data:image/png']").count() > 0, "no plot on the run page"

    run_id = results["mlflow_run"]["run_id"]
    link = page.locator(f"table a[href*='{run_id}']").first
    expect(link).to_be_visible()
    target = link.get_attribute("href")
    page.goto(page.evaluate("href => new URL(href, location).href", target), timeout=PATIENCE_MS)
    for metric in results["model"]["metrics"]:
        expect(page.get_by_text(metric, exact=True).first).to_be_visible(timeout=PATIENCE_MS)


def test_the_printed_model_leads_to_its_tags_and_back_to_the_run(page: Page, results: dict) -> None:
    page.goto(results["model"]["url"])
    expect(page.get_by_role("row", name="mlops_verdict passed", exact=True)).to_be_visible()
    for metric in results["model"]["metrics"]:
        expect(page.get_by_role("rowheader", name=metric, exact=True)).to_be_visible()
    expect(page.get_by_role("rowheader", name="MLmodel")).to_be_visible()
    page.locator("a.job-run").click()
    expect(page).to_have_url(results["job_run"]["url"].split("?")[0])


def test_addresses_printed_by_test_answer(page: Page, results: dict) -> None:
    for url in (results["mlflow_run"]["url"], results["model"]["url"]):
        answer = page.goto(url, timeout=PATIENCE_MS)
        assert answer is None or answer.status == 200, url


def test_without_signing_in_a_page_says_what_to_do(browser: Browser, results: dict) -> None:
    page = browser.new_context().new_page()
    answer = page.goto(results["job_run"]["url"])
    assert answer is not None
    assert answer.status == 401
    expect(page.get_by_text("cargo xtask workspace open")).to_be_visible()


def test_a_link_signs_in_once(browser: Browser, results: dict) -> None:
    link = xtask("workspace", "open", "/").strip()
    first, second = browser.new_context().new_page(), browser.new_context().new_page()
    answers = [page.goto(link) for page in (first, second)]
    assert [answer.status for answer in answers if answer] == [200, 401]
