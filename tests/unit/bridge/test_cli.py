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

from bridge import directory
from bridge.cli import STATUSES, Status, parser, perform
from bridge.directory import Operator
from bridge.doctor import Finding
from bridge.errors import KakehashiError, OverloadedError, SettingsError, StoreUnavailableError
from bridge.inspection import Engine
from bridge.reload import Answer as Answered
from bridge.terminal import Terminal
from routing.ids import DeskId, NetworkName, OperatorId
from routing.policy import OperatorProfile
from tests.unit.bridge.book import Book
from tests.unit.bridge.mortal import Memory
from tests.unit.bridge.test_reload import Shelf


class Directory(directory.Directory):
    """The real one, on paper."""

    def __init__(self) -> None:
        super().__init__(Book().store)

    @property
    def kept(self) -> list[Operator]:
        return list(self._operators.values())


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

    async def stuck_lanes(self, to: NetworkName) -> list[Any]:
        return []

    async def shelf(self, space: str) -> Mapping[str, str]:
        return {}

    async def desks(self) -> list[DeskId]:
        return []


@dataclass
class FakeEngine:
    networks: Mapping[NetworkName, Any] = field(default_factory=dict)
    directory: Directory = field(default_factory=Directory)
    checks: Sequence[Finding] = (Finding("ok", "Redis 7.0.15"),)
    store: Any = field(default_factory=NothingKept)

    def policy(self) -> Any:
        mei = OperatorProfile(OperatorId("mei"), {"ja": "美衣", "en": "Mei"}, (DeskId("ja"),), 7, {}, None, True)
        return SimpleNamespace(desks={DeskId("ja"): None, DeskId("en"): None}, operators={mei.id: mei})

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

    def route(self, config: Path | None, *, language: str, topic: str, at: str | None) -> dict[str, Any]:
        self.asked.append(("route", (language, topic, at)))
        return {}

    def slack_manifest(self, config: Path | None) -> str:
        return "display_information: {}\n\n"

    def rotate_secret(self, config: Path | None, name: str) -> None:
        self.asked.append(("rotate", name))

    async def call_pager(self, config: Path | None, name: str, *, end: bool) -> bool:
        self.asked.append(("page", (name, end)))
        if name == "unknown":
            raise KakehashiError("there is no pager unknown", where="pagers", mend="configured: night")
        return name == "night"


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


def test_who_answers_from_a_network_only_needs_no_password() -> None:
    wiring = FakeWiring()
    answer = kakehashi("operators add kenji --name en=Kenji --no-password", wiring)
    assert (answer.status, wiring.engine.directory.kept[0].password_hash) == (Status.DONE, "")
    assert "by one-time links" in answer.out
    with pytest.raises(SystemExit):
        kakehashi("operators add mei --name en=Mei --no-password --password-stdin", wiring)


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


# ------------------------------------------------------------------ the policy

GOES_BY_IT = "✓ process {} goes by the new policy\n"


def test_a_route_is_asked_for_as_it_is_typed() -> None:
    wiring = FakeWiring()
    answer = kakehashi("route --language zh-Hant --topic withdrawals --at 2026-01-01T03:00+09:00 --json", wiring)
    assert wiring.asked == [("route", ("zh-Hant", "withdrawals", "2026-01-01T03:00+09:00"))]
    assert (answer.status, json.loads(answer.out)) == (Status.DONE, {})
    kakehashi("route --language ja --json", wiring)
    assert wiring.asked[-1] == ("route", ("ja", "", None))


def test_a_reload_looks_at_the_policy_first_and_tells_nobody_of_a_broken_one() -> None:
    class Broken(FakeWiring):
        def check(self, config: Path | None, *, machine: bool) -> list[Finding]:
            raise SettingsError("desks.ja.rota: there is no rota day", where="kakehashi.toml", mend="write one")

    wiring = Broken()
    answer = kakehashi("reload", wiring)
    assert (answer.status, wiring.asked) == (Status.SETTINGS, [])
    assert "there is no rota day" in answer.err


def test_a_reload_says_who_has_not_answered_and_who_refused() -> None:
    shelf = Shelf()
    wiring = FakeWiring(FakeEngine(store=shelf))
    silent = kakehashi("reload --wait 0", wiring)
    assert silent.status == Status.FAILED
    assert silent.out == (
        "! process a has not answered\n  it reads it as soon as it can\n"
        "! process b has not answered\n  it reads it as soon as it can\n"
    )


@pytest.mark.parametrize(
    ("errors", "status", "said"),
    [
        ((), Status.DONE, GOES_BY_IT.format("a") + GOES_BY_IT.format("b")),
        (
            ("desks.ja: wrong", "  mend:  mend it"),
            Status.FAILED,
            "✗ process a keeps the policy that it had\n  desks.ja: wrong\n    mend:  mend it\n"
            + GOES_BY_IT.format("b"),
        ),
    ],
)
def test_a_reload_says_what_each_process_made_of_it(
    monkeypatch: pytest.MonkeyPatch, errors: tuple[str, ...], status: Status, said: str
) -> None:
    async def answers(store: object, name: str, asked: Sequence[str]) -> list[Answered]:
        return [Answered("b"), Answered("a", errors)]

    monkeypatch.setattr("bridge.reload.answers", answers)
    answer = kakehashi("reload", FakeWiring(FakeEngine(store=Shelf())))
    assert (answer.status, answer.out) == (status, said)


def test_an_account_of_an_operator_whom_the_policy_names_is_that_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\ncorrect horse\n"))
    wiring = FakeWiring()
    kakehashi("operators add Mei --name ja=美衣 --password-stdin", wiring)
    kakehashi("operators add kenji --name ja=健二 --password-stdin", wiring)
    mei, kenji = wiring.engine.directory.kept
    assert mei.id == "mei"
    assert kenji.id.startswith("op-")


def test_what_the_policy_says_of_an_operator_is_not_asked_again_and_is_what_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    wiring = FakeWiring()
    assert kakehashi("operators add mei --password-stdin", wiring).status == Status.DONE
    (row,) = json.loads(kakehashi("operators list --json", wiring).out)
    assert (row["names"], row["desks"]) == ({"ja": "美衣", "en": "Mei"}, ["ja"])
    assert (row["capacity"], row["lead"]) == (7, True)


def test_a_password_from_a_pipe_is_not_taken_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    wiring = FakeWiring()
    answer = kakehashi("operators add kenji --password-stdin", wiring)
    (kenji,) = wiring.engine.directory.kept
    assert (answer.status, dict(kenji.names), kenji.password_hash) == (Status.DONE, {}, "hash of 13 for kenji")
    assert "neutral name" in answer.out


# ------------------------------------------------------------------ pagers and mutes


def test_a_test_page_needs_no_store_and_says_how_it_is_ended() -> None:
    wiring = FakeWiring()
    assert "kakehashi page --test night --end" in kakehashi("page --test night", wiring).out
    assert kakehashi("page --test night --end", wiring).out == "the page is ended\n"
    assert "--end" not in kakehashi("page --test mail", wiring).out
    assert "only told" in kakehashi("page --test mail --end", wiring).out
    assert wiring.asked == [("page", (name, end)) for name in ("night", "mail") for end in (False, True)]


def test_a_test_page_to_nobody_says_who_there_is() -> None:
    answer = kakehashi("page --test unknown")
    assert answer.status == Status.FAILED
    assert "configured: night" in answer.err


def test_a_mute_is_made_listed_and_ended_with_who_and_why() -> None:
    wiring = FakeWiring(FakeEngine(store=Memory()))
    made = kakehashi("mute --for 30m --why maintenance", wiring)
    assert made.status == Status.DONE
    (row,) = json.loads(kakehashi("mute --list --json", wiring).out)
    assert (row["why"], row["holds"]) == ("maintenance", True)
    assert "@" in row["who"]
    assert f"--end {row['id']}" in made.out
    assert kakehashi(f"mute --end {row['id']}", wiring).out == "ended: maintenance\n"
    (row,) = json.loads(kakehashi("mute --list --json", wiring).out)
    assert row["holds"] is False


def test_a_mute_without_a_reason_is_refused() -> None:
    answer = kakehashi("mute --for 30m")
    assert answer.status == Status.FAILED
    assert "--why" in answer.err


def test_a_mute_of_three_days_hears_that_a_day_is_the_most() -> None:
    answer = kakehashi("mute --for 3d --why maintenance", FakeWiring(FakeEngine(store=Memory())))
    assert answer.status == Status.FAILED
    assert "a day at the most" in answer.err
    assert "24h" in answer.err


@pytest.mark.parametrize("command", ["page", "mute", "mute --for soon", "mute --for 30m --list", "mute --for m"])
def test_what_is_no_page_and_no_mute_is_not_understood(command: str) -> None:
    with pytest.raises(SystemExit) as left:
        parser().parse_args(command.split())
    assert left.value.code == Status.USAGE


@pytest.mark.parametrize("command", ["operators add aiko --desk ja", "operators password aiko"])
def test_without_a_terminal_a_question_is_an_error_with_a_mend(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    answer = kakehashi(command)
    assert answer.status == Status.FAILED
    assert "mend:" in answer.err


def test_wrong_choices_are_named_as_one_types_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["sessions", "list", "--state", "bogus"])
    assert "<State" not in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["-1", "0"])
def test_a_limit_below_one_is_not_understood(limit: str) -> None:
    with pytest.raises(SystemExit) as left:
        parser().parse_args(["sessions", "list", "--limit", limit])
    assert left.value.code == Status.USAGE


def test_dash_dash_version_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parser().parse_args(["--version"])
    assert left.value.code == 0
    assert "kakehashi" in capsys.readouterr().out


def test_who_an_operator_is_in_slack_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a very long password\n"))
    wiring = FakeWiring()
    kakehashi("operators add aiko --name en=Aiko --slack T024BE7LD:U061F7AUR --password-stdin", wiring)
    assert wiring.engine.directory.kept[0].network_users == {NetworkName("slack"): ("T024BE7LD:U061F7AUR",)}


def test_a_user_is_linked_to_an_operator_listed_and_unlinked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a very long password\n"))
    wiring, slack, user = FakeWiring(), NetworkName("slack"), "T024BE7LD:U061F7AUR"
    kakehashi("operators add aiko --name en=Aiko --password-stdin", wiring)
    assert kakehashi(f"operators link aiko {user}", wiring).status == Status.DONE
    aiko = wiring.engine.directory.kept[0]
    assert wiring.engine.directory.by_network_user(slack, user) == aiko.id
    assert user in kakehashi("operators list", wiring).out
    assert kakehashi(f"operators link owner {user}", wiring).status == Status.FAILED, "one user is one operator"
    assert kakehashi(f"operators unlink aiko {user}", wiring).status == Status.DONE
    assert wiring.engine.directory.by_network_user(slack, user) is None
    assert kakehashi(f"operators unlink aiko {user}", wiring).status == Status.FAILED
    assert kakehashi(f"operators link owner {user}", wiring).status == Status.DONE, "the owner needs no account first"
    assert kakehashi(f"operators link nobody {user}", wiring).status == Status.FAILED
    with pytest.raises(SystemExit):
        kakehashi("operators link aiko U061F7AUR")


def test_an_operator_whom_only_the_policy_names_can_be_linked() -> None:
    wiring = FakeWiring()
    assert kakehashi("operators link mei T024BE7LD:U061F7AUR", wiring).status == Status.DONE
    assert wiring.engine.directory.by_network_user(NetworkName("slack"), "T024BE7LD:U061F7AUR") == "mei"
