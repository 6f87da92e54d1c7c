"""What the browser tests need and Python cannot install: Chromium, and fonts for Japanese and Chinese.

`python -m tests.browser.needs` (part of `make test`) looks for both. On Debian as root it installs what is missing;
elsewhere it names it in one line, with the mend, and ends with status 1. Nothing is skipped silently.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CHOSEN = "KAKEHASHI_TEST_CHROMIUM"
_PACKAGES = {"chromium": "chromium-headless-shell", "CJK fonts": "fonts-noto-cjk"}


def chromium_path() -> str:
    """The browser that the tests drive: $KAKEHASHI_TEST_CHROMIUM, else the first one on PATH. The shell without windows
    draws the same pages for two thirds of the work.

    Raises FileNotFoundError, naming the mend, when there is none.
    """
    chosen = os.environ.get(_CHOSEN)
    found = shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise FileNotFoundError(_complaint(["chromium"]))
    return found


def missing() -> list[str]:
    """What is not there: some of the keys of `_PACKAGES`."""
    lacks = {"chromium": not _has_chromium(), "CJK fonts": not _has_fonts()}
    return [need for need, lacking in lacks.items() if lacking]


def main() -> int:
    """Look, install where we may, look again. Returns the exit status."""
    needs = missing()
    if needs and may_install() and _CHOSEN not in os.environ:
        install([_PACKAGES[need] for need in needs])
        needs = missing()
    if needs:
        print(_complaint(needs), file=sys.stderr)  # noqa: T201 - a command line prints
    return 1 if needs else 0


def _has_chromium() -> bool:
    try:
        chromium_path()
    except FileNotFoundError:
        return False
    return True


def _has_fonts() -> bool:
    """fontconfig knows a font for Japanese; the CJK packages bring Chinese along."""
    lister = shutil.which("fc-list")
    if lister is None:
        return False
    listed = subprocess.run([lister, ":lang=ja", "family"], capture_output=True, check=False)
    return bool(listed.stdout.strip())


def may_install() -> bool:
    """Debian, as root: apt can."""
    return Path("/etc/debian_version").exists() and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str]) -> None:
    """Debian's packages, whatever comes of it: whoever asks looks again."""
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *packages]):
        subprocess.run(command, env=quietly, stdout=sys.stderr, check=False)


def _complaint(needs: Sequence[str]) -> str:
    if "chromium" in needs and _CHOSEN in os.environ:
        return f"{_CHOSEN} names {os.environ[_CHOSEN]}, which is no program. Mend: set it to a Chromium, or unset it."
    packages = " ".join(_PACKAGES[need] for need in needs)
    chosen = f" (or set {_CHOSEN} to a Chromium)" if "chromium" in needs else ""
    return (
        f"The browser tests need {' and '.join(needs)}. Mend: install {packages}{chosen}, then run `make test` again."
    )


if __name__ == "__main__":
    sys.exit(main())
