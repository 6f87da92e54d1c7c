from __future__ import annotations

import inspect

import pytest

from adapters.console import thread
from adapters.console.thread import LINE_KEYS, Said, Told, lines_of
from bridge.ports import Entry
from routing import inputs as i
from routing.facts import FACTS, Actor, Side, UnknownFact
from routing.ids import InputKey, MessageId
from tests.unit.adapters.console.story import AIKO, EN, JA, KENJI, Story


def said(story: Story) -> dict[str, Said]:
    return {line.message: line for line in lines_of(story.entries, story.session) if isinstance(line, Said)}


def told(story: Story) -> list[str]:
    return [line.key for line in lines_of(story.entries, story.session) if isinstance(line, Told)]


def last(story: Story) -> Told:
    return [line for line in lines_of(story.entries, story.session) if isinstance(line, Told)][-1]


def deliveries(story: Story) -> list[str | None]:
    return [line.delivery for line in said(story).values() if line.side is Side.REPLY]


def conversation() -> Story:
    return Story().customer_writes("c:1").replies("o:1")


def test_who_said_what_stands_in_order() -> None:
    story = conversation().notes("o:2", AIKO).customer_writes("c:2")
    lines = [(line.message, line.side, line.by) for line in said(story).values()]
    assert lines == [
        ("c:1", Side.CUSTOMER, ""),
        ("o:1", Side.REPLY, KENJI),
        ("o:2", Side.NOTE, AIKO),
        ("c:2", Side.CUSTOMER, ""),
    ]


def test_a_reply_goes_from_queued_to_reached_to_seen() -> None:
    story = conversation()
    assert deliveries(story) == ["queued"]
    assert deliveries(story.receives("o:1")) == ["reached"]
    assert deliveries(story.receives("o:1", seen=True)) == ["seen"]


def test_what_reached_the_customer_holds_for_all_replies_before_it() -> None:
    story = conversation().replies("o:2").receives("o:2", seen=True).replies("o:3").receives("o:3").replies("o:4")
    assert deliveries(story) == ["seen", "seen", "reached", "queued"]


def test_a_reply_to_nobody_is_said_to_be_undelivered_and_arrives_when_they_are_back() -> None:
    story = conversation().receives("o:1").tell(i.CustomerLeft()).replies("o:2")
    assert deliveries(story) == ["reached", "undelivered"]
    story.tell(i.CustomerArrived())
    assert deliveries(story) == ["reached", "queued"]
    assert deliveries(story.receives("o:2")) == ["reached", "reached"]


def test_customers_words_and_notes_have_no_delivery() -> None:
    story = conversation().notes("o:2")
    assert [said(story)[message].delivery for message in ("c:1", "o:2")] == [None, None]


def test_edits_and_withdrawals_change_their_message_where_it_stands() -> None:
    story = (
        conversation().tell(i.CustomerRevised(MessageId("c:1"), 2)).tell(i.OperatorWithdrew(MessageId("o:1"), KENJI))
    )
    lines = said(story)
    assert (lines["c:1"].revision, lines["c:1"].withdrawn) == (2, False)
    assert lines["o:1"].withdrawn


def test_an_edit_whose_message_never_came_shows_nothing() -> None:
    story = Story().customer_writes("c:1").tell(i.CustomerRevised(MessageId("c:9"), 1))
    assert list(said(story)) == ["c:1"]


def test_a_whole_life_is_told_line_by_line() -> None:
    story = Story().customer_writes("c:1")
    story.tell(i.OperatorClaimed(KENJI)).tell(i.OperatorHeld(KENJI, story.now + 60_000))
    story.tell(i.OperatorTransferred(KENJI, JA, AIKO)).tell(i.CustomerLeft()).tell(i.CustomerArrived())
    story.tell(i.OperatorResolved(AIKO)).tell(i.CustomerAnswered(False)).tell(i.OperatorResolved(AIKO))
    story.tell(i.CustomerAnswered(True))
    assert told(story) == [
        "opened",
        "claimed",
        "held",
        "moved",
        "given",
        "away",
        "back",
        "resolved",
        "denied",
        "reopened",
        "resolved",
        "confirmed",
        "closed",
    ]


def test_lines_name_the_people_and_places() -> None:
    story = Story().customer_writes("c:1").tell(i.OperatorTransferred(KENJI, JA))
    assert last(story) == Told(last(story).index, story.now, "moved", KENJI, {"from_desk": EN, "desk": JA})
    story.tell(i.OperatorResolved(AIKO, i.Outcome.UNSOLVED))
    assert (last(story).operator, last(story).words) == (AIKO, {"outcome": "unsolved"})


def test_putting_back_and_ending_are_told() -> None:
    story = Story().customer_writes("c:1").tell(i.OperatorClaimed(KENJI)).tell(i.OperatorReleased(KENJI))
    assert (last(story).key, last(story).operator) == ("released", KENJI)
    assert last(story.tell(i.CustomerEnded())).key == "ended"


def test_a_fact_of_a_newer_release_is_passed_over() -> None:
    story = Story().customer_writes("c:1")
    unknown = UnknownFact(
        at=1, actor=Actor.BRIDGE, cause=InputKey("k"), desk=EN, topic=story.session.topic, kind="new", raw="{}"
    )
    before = lines_of(story.entries, story.session)
    assert lines_of([*story.entries, Entry(9, "t", None, unknown)], story.session) == before


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: str(kind.__name__))
def test_every_fact_was_thought_of(kind: type) -> None:
    assert kind in thread._write.registry


def test_the_keys_are_all_that_the_lines_use() -> None:
    used = {word for word in LINE_KEYS if f'"{word}"' in inspect.getsource(thread).split("LINE_KEYS")[0]}
    assert used == set(LINE_KEYS)


def test_a_translation_stands_with_its_message_and_goes_when_the_words_change() -> None:
    story = conversation().tell(i.MessageTranslated(MessageId("c:1"), 0, "ja"))
    assert said(story)["c:1"].translation == "ja"
    story.tell(i.CustomerRevised(MessageId("c:1"), 1))
    assert said(story)["c:1"].translation == ""
    story.tell(i.MessageNotTranslated(MessageId("c:1"), 1, "ja", i.Untranslated.ALTERED))
    assert said(story)["c:1"].untranslated == "altered"
    story.tell(i.MessageTranslated(MessageId("c:1"), 1, "ja"))
    assert (said(story)["c:1"].translation, said(story)["c:1"].untranslated) == ("ja", "")
