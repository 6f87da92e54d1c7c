"""What goes into one post, and what of a message is shown there when it has grown by an edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.outward.bursts import MEASURE as DISCORD
from adapters.slack.outward.bursts import MEASURE as SLACK
from bridge.lanes import MERGED
from bridge.messages import About, Body, TextPart
from bridge.networks.bursts import BurstBooks, Measure, deliver
from bridge.ports import Delivered, Delivery, Store
from routing.effects import PostMessage
from routing.facts import Side
from routing.ids import EffectId, MessageId, NetworkName, PostRef, ThreadRef
from tests.unit.adapters.slack.shown.test_card import SESSION

MEASURE = Measure(len, at_first=10, at_most=40, each=2)
HERE = PostRef("here:and more")
ONE, TWO, THREE = MessageId("one"), MessageId("two"), MessageId("three")


def words(text: str) -> Body:
    return Body((TextPart(text),))


def written(text: str | None, message: MessageId = ONE) -> Delivery:
    effect = PostMessage(
        id=EffectId(message), to=NetworkName("x"), mirror=1, message=message, side=Side.CUSTOMER, revision=0
    )
    body = words(text) if text is not None else None
    return Delivery(effect, SESSION, About(), ThreadRef("t"), body)


@pytest.mark.parametrize(
    ("texts", "count"), [(["12345", "12345"], 2), (["12345", "123456"], 1), (["x" * 30, "x"], 1), (["1"], 1)]
)
def test_as_many_as_there_is_room_for_and_always_the_first(texts: list[str], count: int) -> None:
    assert MEASURE.fitting([written(text) for text in texts]) == count


@pytest.mark.parametrize("measure", [MEASURE, DISCORD, SLACK])
@given(lengths=st.lists(st.integers(1, 4_000), min_size=2, max_size=MERGED))
def test_whatever_they_become_all_of_them_fit(measure: Measure, lengths: list[int]) -> None:
    deliveries = [written("x" * length) for length in lengths]
    count = measure.fitting(deliveries)
    if count < 2:
        return
    grown = max(0, measure.grown(count))
    most = sum(max(grown, length) + measure.each for length in lengths[:count])
    assert most <= measure.at_most


@pytest.mark.parametrize("measure", [DISCORD, SLACK])
def test_with_as_many_as_there_may_be_each_can_still_grow(measure: Measure) -> None:
    assert measure.grown(MERGED) >= 60


@given(st.text(min_size=1, max_size=60), st.integers(1, 30))
def test_a_beginning_fits_and_says_that_it_is_one(text: str, room: int) -> None:
    shown = MEASURE.beginning(words(text), room).text
    if len(text) <= room:
        assert shown == text
        return
    assert len(shown) <= room
    assert shown.endswith("…")
    assert text.startswith(shown[:-1])


async def test_what_was_erased_is_not_posted_with_the_others() -> None:
    sent: list[list[str]] = []

    async def say(shown: Sequence[Delivery]) -> Delivered:
        sent.append([one.body.text for one in shown if one.body is not None])
        return Delivered(posts=(PostRef("post"),))

    done = await deliver([written("1", ONE), written(None, TWO), written("3", THREE)], say)
    assert sent == [["1", "3"]]
    assert [len(one.posts) for one in done] == [1, 0, 1]
    assert await deliver([written(None), written(None)], say) == [Delivered(), Delivered()]
    assert len(sent) == 1, "nothing is left to say"


# ------------------------------------------------------------------ who is shown in a post


@dataclass
class Books:
    """The part of a store that tells where messages stand."""

    stands: Mapping[MessageId, tuple[str, ...]] = field(default_factory=dict)

    async def posted(self, session: str, messages: Sequence[MessageId]) -> set[MessageId]:
        del session
        return {one for one in messages if one in self.stands}

    async def posts(self, session: str, message: MessageId, mirror: int) -> tuple[PostRef, ...]:
        del session, mirror
        return tuple(map(PostRef, self.stands.get(message, ())))


@dataclass
class SharedPost:
    ref: PostRef = HERE
    together: tuple[MessageId, ...] = (ONE, TWO, THREE)


def books(**stands: str) -> BurstBooks:
    named = {MessageId(one): (ref,) for one, ref in stands.items()}
    return BurstBooks(cast(Store, Books(named)), MEASURE, lambda ref: ref.partition(":")[0])


async def test_a_message_that_stands_elsewhere_too_has_its_place_there() -> None:
    delivery = written("1")
    assert await books(one="there", two="here:x").shown_in(delivery, SharedPost()) == [TWO, THREE], (
        "where the third stands is not in the books yet"
    )


async def test_a_post_is_needed_as_long_as_one_of_its_messages_stands_there() -> None:
    delivery, elsewhere = written("1"), {"one": "there", "two": "there", "three": "there"}
    assert not await books(**elsewhere).is_needed(delivery, SharedPost())
    assert await books(**(elsewhere | {"three": "here"})).is_needed(delivery, SharedPost())
    erased = replace(delivery, session=replace(SESSION, erased=True))
    assert not await books(**(elsewhere | {"three": "here"})).is_needed(erased, SharedPost())
