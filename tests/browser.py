"""A real Chromium for tests, Playwright's own or the system's. `python -m tests.browser` says whether one starts."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

try:
    from playwright.sync_api import Error, sync_playwright
except ImportError:
    sync_playwright = None

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class NoBrowserError(Exception):
    """Why there is no browser."""


@contextmanager
def started() -> Iterator[Any]:
    """A running browser; NoBrowserError where none starts."""
    if sync_playwright is None:
        raise NoBrowserError("playwright is not installed: pip install 'wengert[browser]'")
    reasons = []
    with sync_playwright() as playwright:
        for path in [None, *filter(None, map(shutil.which, _NAMES))]:
            try:
                # A container's root may not make sandboxes; only our own pages are opened.
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            except Error as error:
                reasons.append(str(error).splitlines()[0])
                continue
            yield browser
            browser.close()
            return
    raise NoBrowserError(f"no Chromium starts here: {reasons[-1]}")


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser; without one the test is skipped, or fails with WENGERT_REQUIRE_BROWSER=1."""
    try:
        with started() as browser:
            yield browser
    except NoBrowserError as error:
        if os.environ.get("WENGERT_REQUIRE_BROWSER", "") not in ("", "0"):
            pytest.fail(f"{error}, while WENGERT_REQUIRE_BROWSER is set", pytrace=False)
        pytest.skip(str(error))


if __name__ == "__main__":
    try:
        with started() as running:
            print("Chromium", running.version)
    except NoBrowserError as missing:
        sys.exit(str(missing))
