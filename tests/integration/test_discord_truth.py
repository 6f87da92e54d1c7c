"""Nothing is lost or doubled when answers are lost, also after Discord has forgotten its nonces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bridge.errors import DeliveryError
from bridge.messages import About, Body, FilePart, TextPart
from bridge.ports import Delivery
from routing.effects import PostMessage
from routing.facts import Side
from routing.ids import EffectId, MessageId
from routing.inputs import CustomerRevised
from tests.integration.discord_house import DISCORD, House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person
from tests.simulators.discord.mischief import Rule
from tests.simulators.discord.permissions import BOT

MESSAGES = "POST /channels/{channel_id}/messages"
POSTS = "POST /channels/{channel_id}/threads"


@pytest.fixture
async def discord() -> AsyncIterator[DiscordSimulator]:
    async with DiscordSimulator(limits=False) as simulator:
        simulator.habits.nonce_life = -1.0  # nothing is known by its nonce
        yield simulator


@pytest.fixture(params=["forum", "text"])
def desk(request: pytest.FixtureRequest, discord: DiscordSimulator) -> Channel:
    return discord.channel("support", request.param, private=True)


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("kenji")
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, discord, desks=[desk]) as one:
        await one.enrol(kenji)
        yield one


def times(here: House, words: str) -> int:
    (thread,) = here.discord.threads(here.desk)
    return sum(words in line for line in here.said(thread))


async def begun(here: House) -> None:
    await here.writes("begun")
    await here.thread()
    await here.lanes_are_empty()


def lost(discord: DiscordSimulator, **chosen: object) -> Rule:
    return discord.mischief.add(Fault.LOSE_ANSWER, MESSAGES, **chosen)  # type: ignore[arg-type]  # as `add` takes them


async def test_words_whose_answer_was_lost_are_known_by_how_they_read(here: House, discord: DiscordSimulator) -> None:
    await begun(here)
    rule = lost(discord, times=3)
    for _ in range(3):
        await here.writes("the same")
    await here.lanes_are_empty()
    assert (rule.fired, times(here, "the same")) == (3, 3)


async def test_a_customer_who_takes_another_name_meanwhile_is_not_shown_twice(
    here: House, discord: DiscordSimulator
) -> None:
    await begun(here)
    delivery = await delivery_of(here, "once")
    await here.network.deliver(delivery)
    (found,) = await here.network.find(replace(delivery, about=About(name="Somebody else")))
    assert found.posts


async def test_a_long_message_goes_on_behind_the_part_whose_answer_was_lost(
    here: House, discord: DiscordSimulator
) -> None:
    await begun(here)
    rule = lost(discord, skip=1)
    await here.writes("x" * 1_500 + " MIDDLE " + "y" * 1_900 + " END")
    await here.lanes_are_empty()
    assert (rule.fired, times(here, "MIDDLE"), times(here, "END")) == (1, 1, 1)
    assert (times(here, "(1/2)"), times(here, "(2/2)")) == (1, 1)


async def test_a_change_that_needs_another_post_makes_it_once(here: House, discord: DiscordSimulator) -> None:
    first = await here.writes("short")
    await here.thread()
    await here.lanes_are_empty()
    rule = lost(discord)
    spoken = first.stored.session.recent[-1].message
    await here.does(CustomerRevised(spoken, 1), Body((TextPart("x" * 1_900 + " " + "y" * 1_500 + " END"),)))
    await here.lanes_are_empty()
    assert (rule.fired, times(here, "END")) == (1, 1)


async def test_a_file_whose_answer_was_lost_stands_there_once(here: House, discord: DiscordSimulator) -> None:
    await begun(here)
    content = BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, "PNG")
    kept = await here.files.put("customer", "mine.png", content.getvalue(), "one")
    rule = lost(discord)
    await here.writes("look at this", FilePart(kept.file_id, kept.name, kept.media_type, kept.size, 8, 8))
    await here.lanes_are_empty()
    assert (rule.fired, times(here, "look at this")) == (1, 1)


async def test_a_line_that_would_read_differently_by_now_is_known_by_what_was_written_down(
    here: House, discord: DiscordSimulator
) -> None:
    """The line beneath held words counts seconds, and is drawn of what is held at this moment."""
    await begun(here)
    stranger = discord.person("stranger")
    discord.allow(here.desk, stranger.id, BOT, quietly=True)
    await here.listens()
    rule = lost(discord)
    (thread,) = discord.threads(here.desk)
    message = stranger.say(thread, "I am from sales")
    await discord.until(lambda: rule.fired)
    stranger.delete(thread, message)
    await here.settled()
    await here.lanes_are_empty()
    assert times(here, "kakehashi operators link") <= 1


async def test_a_thread_is_found_also_when_somebody_has_retitled_it(here: House, discord: DiscordSimulator) -> None:
    rule = discord.mischief.add(Fault.LOSE_ANSWER, POSTS if here.desk.kind.name == "FORUM" else MESSAGES)
    await here.writes("hello")
    await discord.until(lambda: rule.fired)
    for thread in discord.threads(here.desk):
        discord.happenings.update_thread(thread, name="somebody was here", archived=True)
    await here.lanes_are_empty()
    assert len(discord.threads(here.desk)) == 1
    assert times(here, "hello") == 1


async def test_what_was_said_in_a_thread_that_took_the_place_of_a_deleted_one_is_found_there(
    here: House, discord: DiscordSimulator, desk: Channel
) -> None:
    moderator = discord.person("mod", moderator=True)
    discord.allow(desk, moderator.id, BOT, quietly=True)
    await begun(here)
    (thread,) = discord.threads(desk)
    moderator.delete_thread(thread)
    if thread.id in desk.messages:
        moderator.delete(desk, thread.id)
    rule = lost(discord, where=lambda args: "again" in str(args.get("content")))
    await here.writes("say it again")
    await here.lanes_are_empty()
    assert (rule.fired, times(here, "say it again")) == (1, 1)


async def test_what_arrives_late_is_taken_back(here: House, discord: DiscordSimulator) -> None:
    await begun(here)
    discord.mischief.add(Fault.LATE, MESSAGES, seconds=0.15)
    await here.writes("late words")
    await here.lanes_are_empty()

    def is_over() -> bool:
        """A slow machine may find it before it says it again."""
        asked = [call for call in discord.calls_of(MESSAGES) if "late words" in str(call.fields.get("content"))]
        made = [post["kind"] for post in discord.posts if "late words" in str(post)]
        return made.count("message") == len(asked) and (len(asked) == 1 or "delete" in made)

    await discord.until(is_over)
    assert times(here, "late words") == 1


async def test_a_late_double_of_words_that_were_edited_meanwhile_is_taken_back(
    here: House, discord: DiscordSimulator
) -> None:
    await begun(here)
    receipt = await here.writes("wrong")
    await here.lanes_are_empty()
    message = receipt.stored.session.recent[-1].message
    delivery = await delivery_of(here, "wrong", message)
    await here.does(CustomerRevised(message, 1), Body((TextPart("right"),)))
    await here.lanes_are_empty()
    late = await here.network.deliver(delivery)
    kept, double = await here.network.find(delivery)
    assert double == late
    assert kept.posts == await here.store.posts(delivery.session.id, message, 1)
    await here.network.remove_double(delivery, double)
    assert (times(here, "right"), times(here, "wrong")) == (1, 1), "small, beneath what it says now"


async def test_a_message_that_reads_like_another_one_is_never_taken_for_its_double(
    here: House, discord: DiscordSimulator
) -> None:
    """It stands in the thread, and its books are not written yet."""
    receipt = await here.writes("yes")
    await here.thread()
    await here.lanes_are_empty()
    first = await delivery_of(here, "yes", receipt.stored.session.recent[-1].message)
    rule = discord.mischief.add(Fault.HANG_AFTER, MESSAGES, seconds=0.5)
    await here.writes("yes")
    await discord.until(lambda: rule.fired and times(here, "yes") == 2)
    found = await here.network.find(first)
    assert len(found) == 2
    with pytest.raises(DeliveryError):
        await here.network.remove_double(first, found[1])
    await here.lanes_are_empty()
    await here.network.remove_double(first, found[1])
    assert times(here, "yes") == 2


async def delivery_of(here: House, words: str, message: str = "c:elsewhere") -> Delivery:
    """A message as a lane would deliver it."""
    stored = await here.session()
    (thread,) = (await here.store.threads(stored.session.id)).values()
    effect = PostMessage(
        id=EffectId(f"e{message}"), to=DISCORD, mirror=1, message=MessageId(message), side=Side.CUSTOMER, revision=0
    )
    return Delivery(effect, stored.session, About(name="Hanako"), thread, Body((TextPart(words),)))


async def test_what_was_lost_is_looked_for_behind_the_latest_post_and_not_from_the_beginning(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    await begun(here)
    (thread,) = discord.threads(here.desk)
    for number in range(150):
        kenji.say(thread, f"old {number}")
    await here.writes("marks the place")
    await here.lanes_are_empty()
    lost(discord)
    before = len(discord.calls_of("GET /channels/{channel_id}/messages"))
    await here.writes("behind it")
    await here.lanes_are_empty()
    assert times(here, "behind it") == 1
    assert len(discord.calls_of("GET /channels/{channel_id}/messages")) - before <= 3, "a look, and the sweep's"
