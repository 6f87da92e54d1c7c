"""What the check against Slack's types needs: Node.js with npm, and the two packages of `package.json`, as locked.

`python -m tests.slack_types.needs` (part of `make test`) brings both, or names what is missing with the mend.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.browser.needs import install, may_install

HERE = Path(__file__).parent
FOLDER = Path("build/slack-types")
COMPILER = FOLDER / "node_modules/typescript/bin/tsc"

_LISTS = ("package.json", "package-lock.json")


def main() -> int:
    """Look, install where we may, look again. Returns the exit status."""
    if shutil.which("npm") is None and may_install():
        install(["nodejs", "npm"])
    if shutil.which("npm") is None:
        return _complain("Node.js with npm", "install it (nodejs, npm)")
    if not _is_there() and not _bring():
        return _complain("two packages of npm's (@slack/types, typescript)", "see what npm said above")
    return 0


def _is_there() -> bool:
    return COMPILER.exists() and all((FOLDER / one).read_bytes() == (HERE / one).read_bytes() for one in _LISTS)


def _bring() -> bool:
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    for name in _LISTS:
        shutil.copy(HERE / name, FOLDER)
    return subprocess.run(command, cwd=FOLDER, stdout=sys.stderr, check=False).returncode == 0 and COMPILER.exists()


def _complain(lacks: str, mend: str) -> int:
    complaint = f"The check of Slack's payloads needs {lacks}. Mend: {mend}, then run `make test` again."
    print(complaint, file=sys.stderr)  # noqa: T201 - a command line prints
    return 1


if __name__ == "__main__":
    sys.exit(main())
