"""Reactions' names both ways, and events that are none."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.inward.deletions import deleter, deletion
from adapters.slack.inward.reactions import name_of, reacted, sign
from adapters.slack.parse import App
from routing.deletions import AT_ONCE, AT_ONCE_BY_SEVERAL, is_clearing
from routing.reactions import CUSTOMERS, LOOKING

APP = App("T1", "UBOT", "B1")


def event(**changed: Any) -> dict[str, Any]:
    item = {"type": "message", "channel": "C1", "ts": "1700000000.000100"}
    blank = {"type": "reaction_added", "user": "U1", "reaction": "eyes", "item": item, "event_ts": "1700000001.000100"}
    return {**blank, **changed}


@pytest.mark.parametrize("reaction", [*CUSTOMERS, LOOKING])
def test_what_we_put_has_one_name_and_comes_back_as_it_went(reaction: str) -> None:
    assert not name_of(reaction).startswith(":")
    assert sign(name_of(reaction)) == reaction


def test_a_name_without_a_sign_stays_its_name_and_loses_its_skin() -> None:
    assert sign("thumbsup") == sign("+1::skin-tone-4") == "👍"
    assert sign("our-party-parrot") == ":our-party-parrot:"


def test_a_reaction_is_keyed_by_everything_that_makes_it_one() -> None:
    one = reacted(event(), APP)
    assert one is not None
    others = [event(user="U2"), event(type="reaction_removed"), event(event_ts="1700000002.000100")]
    assert len({one.key, *(other.key for body in others if (other := reacted(body, APP)))}) == 4


@pytest.mark.parametrize("body", [event(user="UBOT"), event(item={"type": "file", "file": "F1"}), event(user=None)])
def test_our_own_reactions_and_those_to_files_are_none(body: dict[str, Any]) -> None:
    assert reacted(body, APP) is None


@pytest.mark.parametrize("body", [event(item=7), event(reaction=7), event(reaction=None), event(event_ts="")])
def test_what_slack_never_sends_is_said(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"event|reaction"):
        reacted(body, APP)


def test_a_few_of_one_author_are_theirs_and_many_are_a_clearing() -> None:
    assert not is_clearing(["U1"] * AT_ONCE)
    assert is_clearing(["U1"] * (AT_ONCE + 1))
    assert not is_clearing(["U1", "U2", "U1"][:AT_ONCE_BY_SEVERAL])
    assert is_clearing(["U1", "U2", "U1", "U2"])


def test_a_deletion_names_channel_thread_author_and_age() -> None:
    previous = {"user": "U1", "thread_ts": "1700000000.000100", "ts": "1700000001.000100"}
    body = {"subtype": "message_deleted", "channel": "C1", "deleted_ts": "1700000001.000100", "ts": "1700000061.000100"}
    one = deletion({**body, "previous_message": previous}, APP)
    assert one is not None
    assert (one.channel, one.thread, one.author, one.age) == ("C1", "T1:C1:1700000000.000100", "U1", 60_000)
    assert deletion({**body, "previous_message": previous | {"thread_ts": None}}, APP) is None
    assert deleter({**body, "actor": "U2"}) == "U2"
    assert deleter(body) == ""
