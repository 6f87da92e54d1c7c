"""Accounts of the built-in desk, and who somebody is on a network."""

from __future__ import annotations

import io
import json

import pytest

from bridge.cli.command import Status
from routing.ids import NetworkName
from tests.unit.bridge.cli.typed import FakeWiring, kakehashi


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


@pytest.mark.parametrize("command", ["operators add aiko --desk ja", "operators password aiko"])
def test_without_a_terminal_a_question_is_an_error_with_a_mend(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    answer = kakehashi(command)
    assert answer.status == Status.FAILED
    assert "mend:" in answer.err


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


def test_a_discord_user_is_linked_by_their_id_alone() -> None:
    wiring, user = FakeWiring(), "290000000000000001"
    assert kakehashi(f"operators link mei {user}", wiring).status == Status.DONE
    assert wiring.engine.directory.by_network_user(NetworkName("discord"), user) == "mei"
    with pytest.raises(SystemExit):
        kakehashi("operators link mei 12345", wiring)


def test_an_operator_whom_only_the_policy_names_can_be_linked() -> None:
    wiring = FakeWiring()
    assert kakehashi("operators link mei T024BE7LD:U061F7AUR", wiring).status == Status.DONE
    assert wiring.engine.directory.by_network_user(NetworkName("slack"), "T024BE7LD:U061F7AUR") == "mei"
