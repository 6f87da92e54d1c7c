"""How a command is told to the parser."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.cli.command import Command

Commands = Any
"""argparse's own name for what `add_subparsers` gives is private."""


def add_command(commands: Commands, name: str, does: Callable[[Command], int], about: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    made.add_argument("--config", type=Path, metavar="PATH", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    made.set_defaults(command=does)
    return made


def answering(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
    made.add_argument("--json", action="store_true", help="answer in JSON")
    return made


def add_group(commands: Commands, name: str, about: str) -> Commands:
    made = commands.add_parser(name, help=about, description=about)
    return made.add_subparsers(metavar="command", required=True)
