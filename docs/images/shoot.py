"""Draws a page of the local workspace as a PNG: the picture of a run in this folder.

    PAGE=$(cargo xtask workspace open /jobs/JOB/runs/RUN)
    uv run --no-project --with playwright docs/images/shoot.py docs/images/run.png "$PAGE"

The link signs the browser in and leads to the page. The browser is the `chromium` on the PATH.
"""

import shutil
import sys

from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 960, 620


def main() -> None:
    """Draws what the command line asks for."""
    output, address = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--no-proxy-server"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1.5)
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=output)
        browser.close()


main()
