"""A Chromium that is installed, for the browser tests and the pictures of the documentation."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# WebGL without a GPU, and a container's small /dev/shm.
_FLAGS = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage")


def chromium_path() -> str | None:
    """Return the path of a browser: that of ``$PHASE2_CHROMIUM``, or one that is installed; None without one."""
    named = os.environ.get("PHASE2_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def running_chromium(path: str) -> Iterator[Browser]:
    """Run a browser for the duration of a block.

    Args:
        path: Path of the browser.
    """
    with sync_playwright() as playwright:
        flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            browser.close()
