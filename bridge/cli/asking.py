"""What a command asks a person; where there is nobody to answer, it says which option answers instead."""

from __future__ import annotations

import argparse
import getpass
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.errors import KakehashiError


def password_of(chosen: argparse.Namespace) -> str:
    return sys.stdin.readline().rstrip("\n") if chosen.password_stdin else _ask_password()


def _ask_password() -> str:
    with answers_come("give --password-stdin"):
        password, again = getpass.getpass("Password: "), getpass.getpass("Again: ")
    if again != password:
        raise KakehashiError("the two passwords differ", mend="run the command again")
    return password


def agreed(question: str) -> bool:
    with answers_come("give --yes"):
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


@contextmanager
def answers_come(mend: str) -> Iterator[None]:
    """Raises KakehashiError where there is nobody to answer a question."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would show what is typed
            yield
    except (EOFError, getpass.GetPassWarning) as error:
        raise KakehashiError("there is nobody here to answer", mend=f"{mend}, or run it at a terminal") from error
