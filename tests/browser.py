"""A real headless Chromium for tests of pages: ``from browser import page`` gives the fixture."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str:
    """The system's Chromium (``BOKEHBENCH_CHROMIUM`` or on the path); skips the test where there is none."""
    found = os.environ.get("BOKEHBENCH_CHROMIUM") or next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.skip("no Chromium here: install Debian's package chromium, or set BOKEHBENCH_CHROMIUM")
    return found


@pytest.fixture
def page() -> Iterator[object]:
    """A page of a fresh browser (playwright's ``Page``); the test fails if the page logged an error or threw one."""
    from playwright.sync_api import sync_playwright

    path = executable()
    errors: list[str] = []
    with sync_playwright() as playwright:
        # no-sandbox: Chromium as root, as in containers
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        opened = browser.new_page(viewport={"width": 1200, "height": 900})
        opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        opened.on("pageerror", lambda error: errors.append(str(error)))
        yield opened
        browser.close()
    assert not errors, f"the page's console has errors: {errors}"
