"""Finds a Chromium for the browser tests and the bench; run as a script, it installs one where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",  # the page itself needs no network
)


def playwrights_own() -> str | None:
    """The Chromium that `playwright install chromium` has put into the user's cache."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def find() -> str | None:
    """The Chromium to use: $CHROMIUM, else the first on the PATH, else Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named) or sys.exit(f"CHROMIUM={named} is not a program.")
    return next(filter(None, map(shutil.which, NAMES)), None) or playwrights_own()


def install() -> None:
    """Install Chromium: with apt where we may, else Playwright's build into the user's cache."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Chromium: none found; installing it with apt-get.", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
        if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0:
            return
    print("Chromium: none found; installing Playwright's.", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> None:
    """Say which Chromium the tests use, installing one first where there is none."""
    if find() is None:
        install()
    found = find()
    if found is None:
        sys.exit("Chromium: none found and none could be installed. Install one and name it: CHROMIUM=/path make test")
    print(f"Chromium: using {found}")


if __name__ == "__main__":
    main()
