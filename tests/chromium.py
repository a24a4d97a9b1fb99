"""The Chromium that the browser tests drive: a system one, else Playwright's own, else Debian's package.

`python tests/chromium.py` finds it, or installs it, or exits with a sentence that says what to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def system_chromium() -> str | None:
    """The path of an installed Chromium or Chrome, None where Playwright's own is to be used."""
    return next((path for name in SYSTEM_NAMES if (path := shutil.which(name))), None)


def launch_options() -> dict[str, Any]:
    """Keyword arguments of Playwright's `chromium.launch`."""
    path = system_chromium()
    return {"args": ARGS} | ({"executable_path": path} if path else {})


def starts() -> bool:
    """Whether a headless Chromium starts and shows a page."""
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_options())
            browser.new_page().goto("data:text/html,ready")
            browser.close()
    except Error as error:
        print(str(error).splitlines()[0])
        return False
    return True


def _install_playwrights() -> bool:
    try:
        done = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], timeout=300)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _install_debians() -> bool:
    if not (shutil.which("apt-get") and os.geteuid() == 0 and Path("/etc/debian_version").exists()):
        return False
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update"], env=env, check=False)
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
    return subprocess.run(install, env=env, check=False).returncode == 0


def main() -> int:
    if starts():
        return 0
    for install in (_install_playwrights, _install_debians):
        if install() and starts():
            return 0
    print(
        "Expected a Chromium that Playwright can start; found none, and could not install one. "
        "Install chromium (or google-chrome) with the system's package manager and run this again."
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
