"""The command line: what it understands, what it answers, and with which exit status."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bridge.cli import STATUSES, Status, parser, perform
from bridge.directory import Operator
from bridge.doctor import Finding
from bridge.errors import KakehashiError, OverloadedError, SettingsError, StoreUnavailableError
from bridge.inspection import Engine
from bridge.terminal import Terminal
from routing.ids import DeskId, NetworkName


@dataclass
class Directory:
    kept: list[Operator] = field(default_factory=list)

    async def add(self, operator: Operator) -> Operator:
        self.kept.append(operator)
        return operator

    async def refresh(self) -> None:
        """There is nothing to read."""

    def all(self) -> Sequence[Operator]:
        return self.kept


@dataclass
class Slack:
    """A network that looks at itself."""

    name: str = "slack"
    found: Callable[[], list[Finding]] = lambda: [Finding("ok", "slack: the token works")]

    async def doctor(self) -> list[Finding]:
        return self.found()


class NothingKept:
    """As much of a store as `doctor` asks."""

    async def destinations(self) -> list[NetworkName]:
        return []

    async def desks(self) -> list[DeskId]:
        return []


@dataclass
class FakeEngine:
    networks: Mapping[NetworkName, Any] = field(default_factory=dict)
    directory: Directory = field(default_factory=Directory)
    checks: Sequence[Finding] = (Finding("ok", "Redis 7.0.15"),)
    store: NothingKept = field(default_factory=NothingKept)

    def policy(self) -> Any:
        return SimpleNamespace(desks={DeskId("ja"): None, DeskId("en"): None})

    async def hash_password(self, password: str, account: str) -> str:
        if len(password) < 8:
            raise KakehashiError("a password has 8 to 256 characters", mend="take several words")
        return f"hash of {len(password)} for {account}"


@dataclass
class FakeWiring:
    engine: FakeEngine = field(default_factory=FakeEngine)
    found: list[Finding] = field(default_factory=lambda: [Finding("ok", "settings: defaults")])
    trouble: BaseException | None = None
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def run(self, config: Path | None) -> int:
        self.asked.append(("run", config))
        if self.trouble is not None:
            raise self.trouble
        return 0

    @asynccontextmanager
    async def inspect(self, config: Path | None) -> AsyncIterator[Engine]:
        self.asked.append(("inspect", config))
        if self.trouble is not None:
            raise self.trouble
        yield cast(Engine, self.engine)

    def check(self, config: Path | None, *, machine: bool) -> list[Finding]:
        self.asked.append(("check", machine))
        return self.found

    def slack_manifest(self, config: Path | None) -> str:
        return "display_information: {}\n\n"

    def rotate_secret(self, config: Path | None, name: str) -> None:
        self.asked.append(("rotate", name))


@dataclass
class Answer:
    status: int
    out: str
    err: str


def kakehashi(command: str, wiring: FakeWiring | None = None) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    chosen = parser().parse_args(command.split())
    status = perform(chosen, wiring or FakeWiring(), Terminal(out, err))
    return Answer(status, out.getvalue(), err.getvalue())


# ------------------------------------------------------------------ understanding


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


# ------------------------------------------------------------------ statuses


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


def test_up_leaves_with_the_services_own_status() -> None:
    assert kakehashi("up").status == Status.DONE


def test_version_is_one_line() -> None:
    assert kakehashi("version").out.startswith("kakehashi ")


def test_the_manifest_is_printed_as_it_is() -> None:
    assert kakehashi("slack manifest").out == "display_information: {}\n"


def test_a_secret_is_rotated_by_name() -> None:
    wiring = FakeWiring()
    answer = kakehashi("secrets rotate visitor_tokens", wiring)
    assert wiring.asked == [("rotate", "visitor_tokens")]
    assert "restart every process" in answer.out


# ------------------------------------------------------------------ check and doctor


def test_check_opens_nothing() -> None:
    wiring = FakeWiring()
    answer = kakehashi("check", wiring)
    assert wiring.asked == [("check", False)]
    assert (answer.status, answer.out) == (Status.DONE, "✓ settings: defaults\n")


def test_a_doubt_is_no_failure_and_a_failure_is() -> None:
    doubt, failure = Finding("warn", "little space", "make room"), Finding("fail", "no space", "make room")
    assert kakehashi("check", FakeWiring(found=[doubt])).status == Status.DONE
    assert kakehashi("check", FakeWiring(found=[doubt, failure])).status == Status.FAILED


def test_doctor_looks_at_machine_store_and_networks() -> None:
    wiring = FakeWiring(FakeEngine(networks={NetworkName("slack"): Slack(), NetworkName("console"): object()}))
    answer = kakehashi("doctor", wiring)
    assert wiring.asked[0] == ("check", True)
    assert answer.out.splitlines() == ["✓ settings: defaults", "✓ Redis 7.0.15", "✓ slack: the token works"]


def test_doctor_goes_on_where_the_store_does_not_answer() -> None:
    answer = kakehashi("doctor", FakeWiring(trouble=StoreUnavailableError("Redis does not answer", mend="start it")))
    assert answer.out.splitlines() == ["✓ settings: defaults", "✗ Redis does not answer", "  start it"]
    assert answer.status == Status.FAILED


def test_doctor_goes_on_where_a_network_cannot_be_looked_at() -> None:
    def broken() -> list[Finding]:
        raise KakehashiError("invalid_auth", mend="make a new token")

    answer = kakehashi("doctor", FakeWiring(FakeEngine(networks={NetworkName("slack"): Slack(found=broken)})))
    assert answer.out.splitlines()[-2:] == ["✗ slack: invalid_auth", "  make a new token"]
    assert answer.status == Status.FAILED


def test_doctor_answers_programs_too() -> None:
    answer = kakehashi("doctor --json")
    assert json.loads(answer.out)[0] == {"level": "ok", "what": "settings: defaults", "mend": ""}


# ------------------------------------------------------------------ operators


def test_an_operator_is_added_from_arguments_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\nignored\n"))
    wiring = FakeWiring()
    answer = kakehashi("operators add aiko --name ja=佐藤 --name en=Sato --desk ja --lead --password-stdin", wiring)
    (aiko,) = wiring.engine.directory.kept
    assert answer.status == Status.DONE
    assert (aiko.account, dict(aiko.names), aiko.desks, aiko.lead) == (
        "aiko",
        {"ja": "佐藤", "en": "Sato"},
        ("ja",),
        True,
    )
    assert aiko.password_hash == "hash of 13 for aiko"


def test_names_and_password_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"  ja: ": "佐藤", "  en: ": " Sato ", "  zh-Hans: ": "", "  zh-Hant: ": ""}
    monkeypatch.setattr("builtins.input", lambda question: answers[question])
    monkeypatch.setattr("getpass.getpass", lambda question: "correct horse")
    wiring = FakeWiring()
    answer = kakehashi("operators add aiko", wiring)
    assert dict(wiring.engine.directory.kept[0].names) == {"ja": "佐藤", "en": "Sato"}
    assert "correct horse" not in answer.out + answer.err


def test_two_different_passwords_add_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["one password", "another password"])
    monkeypatch.setattr("getpass.getpass", lambda question: next(typed))
    wiring = FakeWiring()
    answer = kakehashi("operators add aiko --name en=Aiko", wiring)
    assert (answer.status, wiring.engine.directory.kept) == (Status.FAILED, [])
    assert "differ" in answer.err


@pytest.mark.parametrize(
    ("options", "said"), [("--desk fr", "choose from ja, en"), ("", "take several words")], ids=["desk", "password"]
)
def test_an_operator_that_will_not_do_is_refused_with_the_mend(
    monkeypatch: pytest.MonkeyPatch, options: str, said: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    wiring = FakeWiring()
    answer = kakehashi(f"operators add aiko --name en=Aiko --password-stdin {options}", wiring)
    assert (answer.status, wiring.engine.directory.kept) == (Status.FAILED, [])
    assert said in answer.err


def test_a_name_without_a_language_cannot_be_understood(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        kakehashi("operators add aiko --name Aiko")
    assert "ja=佐藤" in capsys.readouterr().err


def test_operators_are_listed_without_their_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    wiring = FakeWiring()
    kakehashi("operators add aiko --name en=Aiko --password-stdin", wiring)
    listed = kakehashi("operators list", wiring).out
    assert listed.splitlines()[1].split()[:3] == ["aiko", "en:", "Aiko"]
    assert "hash" not in listed + kakehashi("operators list --json", wiring).out
