"""The command line: what it understands, what it answers, and with which exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.cli import parser
from bridge.cli.command import STATUSES, Status
from bridge.errors import KakehashiError, OverloadedError, SettingsError, StoreUnavailableError
from tests.unit.bridge.cli.typed import FakeWiring, kakehashi


def test_the_settings_file_may_stand_before_or_behind_the_command() -> None:
    wiring = FakeWiring()
    kakehashi("--config a.toml up", wiring)
    kakehashi("up --config b.toml", wiring)
    kakehashi("up", wiring)
    assert wiring.asked == [("run", Path("a.toml")), ("run", Path("b.toml")), ("run", None)]


@pytest.mark.parametrize("command", ["", "fly", "sessions", "sessions show", "outbox discard K7Q2", "why", "up now"])
def test_what_cannot_be_understood_is_status_2(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parser().parse_args(command.split())
    assert left.value.code == Status.USAGE
    assert "usage: kakehashi" in capsys.readouterr().err


def test_help_lists_every_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--help"])
    said = capsys.readouterr().out
    assert set(STATUSES) == set(Status)
    assert all(meaning in said for meaning in STATUSES.values())


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (SettingsError("the port is no number", where="web.port", mend="write a number"), Status.SETTINGS),
        (StoreUnavailableError("Redis does not answer"), Status.UNAVAILABLE),
        (OverloadedError("too much is under way"), Status.UNAVAILABLE),
        (KakehashiError("no"), Status.FAILED),
        (KeyboardInterrupt(), Status.INTERRUPTED),
    ],
)
def test_each_kind_of_trouble_has_its_status(trouble: BaseException, status: Status) -> None:
    for command in ("up", "sessions list"):
        answer = kakehashi(command, FakeWiring(trouble=trouble))
        assert answer.status == status
        assert str(trouble) in answer.err
        assert answer.out == ""


def test_dash_dash_version_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parser().parse_args(["--version"])
    assert left.value.code == 0
    assert "kakehashi" in capsys.readouterr().out
