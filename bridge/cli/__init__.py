"""The command line. It reads arguments and prints answers; `bridge.main` does all the wiring behind it.

Answers go to standard output, errors and progress to standard error. Exit statuses are in `Status`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bridge.cli import customers, files, incidents, installation, operators, outbox, pagers, policy, service, sessions
from bridge.cli.command import STATUSES, Command, Status, Wiring
from bridge.errors import KakehashiError, OverloadedError, SettingsError, StoreUnavailableError
from bridge.terminal import Terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `kakehashi`. Returns the exit status."""
    chosen = parser().parse_args(arguments)
    return perform(chosen, _wiring(), Terminal())


def perform(chosen: argparse.Namespace, wiring: Wiring, terminal: Terminal) -> int:
    """Carry out a command that was understood. Whatever people can mend is said in three parts."""
    try:
        return int(chosen.command(Command(chosen, wiring, terminal)))
    except SettingsError as error:
        terminal.error(error)
        return Status.SETTINGS
    except (StoreUnavailableError, OverloadedError) as error:
        terminal.error(error)
        return Status.UNAVAILABLE
    except KakehashiError as error:
        terminal.error(error)
        return Status.FAILED
    except KeyboardInterrupt:
        return Status.INTERRUPTED


def _wiring() -> Wiring:
    # Imported late: it brings in every adapter, which `--help` and `version` do not need.
    from bridge import main as wiring

    return wiring


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(
        prog="kakehashi",
        description="A bridge between customers on a website and support operators.",
        epilog="exit statuses:\n" + "\n".join(f"  {status:<4}{meaning}" for status, meaning in STATUSES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--config", type=Path, metavar="PATH", help="settings; else KAKEHASHI_CONFIG, kakehashi.toml")
    top.add_argument("--version", action="version", version=f"kakehashi {version('kakehashi')}")
    commands = top.add_subparsers(metavar="command", required=True)
    service.arguments(commands)
    policy.arguments(commands)
    installation.arguments(commands)
    sessions.arguments(commands)
    files.arguments(commands)
    outbox.arguments(commands)
    pagers.arguments(commands)
    incidents.arguments(commands)
    customers.arguments(commands)
    operators.arguments(commands)
    return top
