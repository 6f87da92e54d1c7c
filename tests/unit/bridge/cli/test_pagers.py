"""A pager's test, and the silence of our own pages."""

from __future__ import annotations

import json

import pytest

from bridge.cli import parser
from bridge.cli.command import Status
from tests.unit.bridge.cli.typed import FakeEngine, FakeWiring, kakehashi
from tests.unit.bridge.mortal import Memory


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
