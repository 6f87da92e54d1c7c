"""A forum's tags are found by their names, in whatever language and however people write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.discord.places.channels import Channel, Kind, Tag
from adapters.discord.places.forum_tags import APPLIED, LONGEST, ForumTags
from bridge.languages import LANGUAGES
from config.locales import text
from routing.facts import Cause
from routing.ids import EffectId, SessionId, Topic
from routing.policy import Policy, TopicRules
from routing.session import Escalation, Session, State, Turn, TurnOf
from tests.unit.routing.builders import opened

GUIDE = Path(__file__).parents[5] / "docs" / "discord.md"
TITLES = {"transfers": "Transfers", "long": "A title that is far too long for a tag of a forum"}


def worded(language: str, key: str, /, **words: str) -> str:
    return text("thread", language, key, **words)


def title(topic: Topic, language: str) -> str:
    del language
    return TITLES.get(topic, topic)


def policy() -> Policy:
    return Policy({}, topic_rules={Topic(one): TopicRules(Topic(one)) for one in TITLES})


TAGS = ForumTags(worded, title, policy)


def session(**changes: object) -> Session:
    under_way = opened().session
    assert under_way is not None
    one = replace(under_way, id=SessionId("main.1.1"), language="ja", topic=Topic("transfers"))
    return replace(one, **changes)  # type: ignore[arg-type]  # a session's fields


def forum(*names: str) -> Channel:
    return Channel("1", "2", Kind.FORUM, tags=tuple(Tag(str(number), name) for number, name in enumerate(names)))


def chosen(names: tuple[str, ...], one: Session) -> list[str]:
    return [tag.name for tag in TAGS.of(forum(*names), one)]


@pytest.mark.parametrize(
    "names",
    [
        ("Waiting", "Japanese", "Transfers"),
        ("対応待ち", "日本語", "transfers"),
        ("🟠 ＷＡＩＴＩＮＧ!", "ja", "[Transfers]"),
        ("等待接入", "日语", "Transfers"),
    ],
)
def test_a_tag_is_found_however_it_is_written(names: tuple[str, ...]) -> None:
    assert chosen(names, session()) == [*names]


def test_a_state_that_has_no_tag_of_its_own_and_a_title_that_no_tag_can_hold() -> None:
    names = ("In progress", TITLES["long"][:LONGEST])
    held = session(state=State.ASSIGNED, turn=Turn(TurnOf.HELD, 0), topic=Topic("long"))
    assert chosen(names, held) == [*names]
    assert chosen(("On hold", *names), held)[0] == "On hold"


def test_there_is_room_for_a_tag_of_somebodys_own() -> None:
    ladder = Escalation(EffectId("one"), next(iter(Cause)), 0)
    names = ("Waiting", "Escalation", "日本語", "Transfers", "VIP")
    found = TAGS.of(forum(*names), session(escalation=ladder))
    assert len(found) == APPLIED - 1
    assert {tag.name for tag in forum(*names).tags if tag.id not in TAGS.following(forum(*names), session())} == {"VIP"}


def told() -> Iterator[str]:
    section = GUIDE.read_text("utf-8").partition("## Tags of a forum")[2].partition("\n\nA tag that")[0]
    for line in section.partition("|---|---|---|\n")[2].splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        for cell in cells[1:] if line.startswith("| a ") else cells:
            yield from (one.strip(" `") for one in cell.split(",") if one.strip())


def test_whatever_the_guide_names_is_found_and_fits() -> None:
    known = TAGS.following(forum(*told()), session())
    assert len([*told()]) > 20
    assert len(known) == len([*told()])
    for language in LANGUAGES:
        advised = TAGS.advised(language, LANGUAGES, [Topic(one) for one in TITLES])
        assert all(0 < len(name) <= LONGEST for name, _ in advised)
