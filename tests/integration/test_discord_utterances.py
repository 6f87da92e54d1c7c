"""All that an operator can send on Discord reaches the customer, or its author is told why not. Nothing is dropped in
silence, and nothing that was said elsewhere leaves by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bridge.carriers import carriers_of
from bridge.messages import Body, MarkKind, TextPart
from bridge.relay import Receipt
from bridge.transcript import transcript
from routing.facts import Side
from routing.ids import InputKey, MessageId, OperatorId
from routing.inputs import CustomerRevised, CustomerWithdrew, OperatorSent
from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Message, Person, Thread
from tests.simulators.discord.permissions import BOT
from tests.unit.adapters.files.test_sounds import page


@pytest.fixture
def desk(discord: DiscordSimulator) -> Channel:
    return discord.channel("support", "forum", private=True)


def joins(discord: DiscordSimulator, desk: Channel, name: str) -> Person:
    person = discord.person(name)
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    return joins(discord, desk, "kenji")


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, discord, desks=[desk]) as one:
        await one.enrol(kenji)
        await one.listens()
        yield one


@pytest.fixture
def picture() -> bytes:
    content = BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, "PNG")
    return content.getvalue()


async def begun(here: House) -> Thread:
    await here.writes("I cannot withdraw")
    thread = await here.thread()
    await here.shows(thread, "I cannot withdraw")
    await here.lanes_are_empty()
    return thread


async def told(here: House, thread: Thread, words: str) -> Message:
    """The bridge's answer to somebody's message, once it is there."""
    await here.shows(thread, words)
    return next(one for one in here.discord.messages(thread) if words in here.discord.seen(one))


async def bodies(here: House, side: Side) -> list[Body]:
    stored = await here.session()
    said = [one for one in stored.session.recent if one.side is side]
    found = await here.store.bodies(stored.session.id, [(one.message, one.revision) for one in said])
    return [one for one in found if one is not None]


async def until_said(here: House, side: Side, count: int = 1) -> list[Body]:
    async def has_come() -> bool:
        return len(await bodies(here, side)) == count

    await here.until(has_come)
    return await bodies(here, side)


async def test_a_forward_stays_inside_until_its_author_sends_it(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person, picture: bytes
) -> None:
    other = discord.channel("internal", "text")
    origin = kenji.say(other, "the **new** terms", files=[("terms.png", picture)])
    thread = await begun(here)
    kenji.forward(thread, other, origin)
    answer = await told(here, thread, "Forwarded messages stay inside")
    assert await here.replies_seen() == []
    assert (await kenji.click(thread, answer, "Send to customer")).ok
    await here.reads("Forwarded message\nthe new terms")
    (reply,) = await bodies(here, Side.REPLY)
    assert [one.name for one in reply.files] == ["terms.png"]
    await here.shows(thread, "Sent to the customer.")
    assert discord.message(thread, answer.id).components == []


async def test_a_forward_by_who_is_not_enrolled_is_no_reply_either(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    stranger = joins(discord, desk, "stranger")
    other = discord.channel("internal", "text")
    origin = kenji.say(other, "of another customer")
    thread = await begun(here)
    stranger.forward(thread, other, origin)
    await until_said(here, Side.NOTE)
    assert await here.replies_seen() == []


async def test_a_sticker_is_a_picture_or_a_line(here: House, kenji: Person) -> None:
    thread = await begun(here)
    kenji.say(thread, "", sticker="wave")
    (first,) = await until_said(here, Side.REPLY)
    assert [one.name for one in first.files] == ["wave.png"]
    kenji.say(thread, "hello", sticker="dance", sticker_kind=3)
    await here.reads("", "hello\nSticker: dance")


async def test_a_voice_message_is_a_file_and_a_line(here: House, kenji: Person) -> None:
    thread = await begun(here)
    kenji.speak(thread, page(b"OpusHead\1\2") + page(b"\7" * 40), seconds=2.6)
    await here.reads("Voice message (3 s)")
    (reply,) = await bodies(here, Side.REPLY)
    assert [(one.name, one.media_type) for one in reply.files] == [("voice-message.ogg", "audio/ogg")]


async def test_a_voice_message_that_cannot_be_had_is_no_line_either(here: House, kenji: Person) -> None:
    thread = await begun(here)
    kenji.speak(thread, b"OggS, and no more")
    await told(here, thread, "It cannot be read")
    kenji.say(thread, "then in writing")
    await here.reads("then in writing")


async def test_a_reply_to_the_customer_says_what_it_answers(here: House, kenji: Person) -> None:
    thread = await begun(here)
    first = next(one for one in here.discord.messages(thread) if "withdraw" in here.discord.seen(one))
    await here.writes("and something else")
    await here.shows(thread, "something else")
    await here.lanes_are_empty()
    said = kenji.say(thread, "Try again now", reply_to=first)
    await here.reads("I cannot withdraw\nTry again now")
    (reply,) = await bodies(here, Side.REPLY)
    assert [(one.kind, reply.text[one.start : one.end]) for one in reply.words.marks] == [
        (MarkKind.QUOTE, "I cannot withdraw")
    ]
    kenji.edit(thread, said, "Try again tomorrow")
    await here.reads("I cannot withdraw\nTry again now", "I cannot withdraw\nTry again tomorrow")


async def answered(here: House, kenji: Person, words: str) -> tuple[Thread, MessageId, Message]:
    """Kenji's answer to the customer's first message, which it quotes; returned with that message's id."""
    thread = await begun(here)
    first = next(one for one in here.discord.messages(thread) if "withdraw" in here.discord.seen(one))
    return thread, (await here.session()).session.recent[0].message, kenji.say(thread, words, reply_to=first)


async def every_wording(here: House) -> str:
    """All that is kept of what anybody said."""
    stored = await here.session()
    carriers = await carriers_of(here.store, stored.session.id)
    return "|".join(body.text for one in carriers if one.side is not Side.CUSTOMER for body in one.bodies.values())


async def test_a_quote_follows_its_message_and_goes_with_it(here: House, kenji: Person) -> None:
    thread, message, said = await answered(here, kenji, "Try again now")
    await here.reads("I cannot withdraw\nTry again now")
    kenji.edit(thread, said, "Try again tomorrow")
    await here.reads("I cannot withdraw\nTry again now", "I cannot withdraw\nTry again tomorrow")
    changed = CustomerRevised(message, committed=True)
    assert isinstance(await here.does(changed, Body((TextPart("I cannot log in"),))), Receipt)
    assert (await here.replies_seen())[-1] == "I cannot log in\nTry again tomorrow"
    assert "withdraw" not in await every_wording(here)
    assert isinstance(await here.does(CustomerWithdrew(message, committed=True)), Receipt)
    assert set(await here.replies_seen()) <= {"Try again now", "Try again tomorrow"}
    assert "log in" not in await every_wording(here)
    document = await transcript(here.store, await here.session())
    assert "withdraw" not in str([one["parts"] for one in document["events"] if "parts" in one])
    assert "log in" not in str(document)


async def test_a_quote_that_waits_inside_goes_with_its_message_too(here: House, kenji: Person) -> None:
    _thread, message, _ = await answered(here, kenji, "note: what does he mean?")
    await until_said(here, Side.NOTE)
    assert "I cannot withdraw" in await every_wording(here)
    assert isinstance(await here.does(CustomerWithdrew(message, committed=True)), Receipt)
    assert await every_wording(here) == "what does he mean?"
    (note,) = [one for one in (await here.session()).session.recent if one.side is Side.NOTE]
    sent = await here.relay.from_operator(
        (await here.session()).session.id, OperatorSent(note.message, OperatorId("kenji")), InputKey("sent")
    )
    assert isinstance(sent, Receipt)
    await here.reads("what does he mean?")


async def test_a_reply_to_a_colleague_is_for_the_colleague_and_quotes_nothing(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    aiko = joins(discord, desk, "aiko")
    await here.enrol(aiko)
    thread = await begun(here)
    kenji.say(thread, "Let me look")
    await here.reads("Let me look")
    note = aiko.say(thread, "note: his account is frozen")
    await until_said(here, Side.NOTE)
    kenji.say(thread, "so what do we tell him", reply_to=note)
    answer = await told(here, thread, "It is addressed to a colleague")
    assert await here.replies_seen() == ["Let me look"]
    assert (await kenji.click(thread, answer, "Send to customer")).ok
    await here.reads("Let me look", "so what do we tell him")


async def test_what_cannot_reach_a_customer_is_told_to_its_author(here: House, kenji: Person) -> None:
    thread = await begun(here)
    kenji.say(thread, "", poll="shall we?")
    answer = await told(here, thread, "a message of this kind cannot reach a customer")
    assert [one.target for one in answer.pings] == [kenji.id]
    kenji.say(thread, "I shall look into it")
    await here.reads("I shall look into it")


async def test_a_file_that_cannot_be_had_is_told_in_the_sessions_language(here: House, kenji: Person) -> None:
    thread = await begun(here)
    kenji.say(thread, "look", files=[("run.exe", b"MZ...")])
    await told(here, thread, "This type is not accepted")
    await here.reads("look")


async def test_a_link_that_ran_out_is_asked_for_again(
    here: House, discord: DiscordSimulator, kenji: Person, picture: bytes
) -> None:
    thread = await begun(here)
    discord.habits.link_life = -1.0
    discord.mischief.add(Fault.DELAY, "MESSAGE_CREATE", seconds=0.2)
    kenji.say(thread, "look", files=[("mine.png", picture)])
    discord.habits.link_life = 86_400.0
    (reply,) = await until_said(here, Side.REPLY)
    assert [one.name for one in reply.files] == ["mine.png"]


async def test_a_file_that_its_author_takes_off_again_goes(here: House, kenji: Person, picture: bytes) -> None:
    thread = await begun(here)
    said = kenji.say(thread, "look", files=[("one.png", picture), ("two.png", picture)])
    await until_said(here, Side.REPLY)
    kenji.edit(thread, said, "look here", without=["one.png"])
    await here.reads("look", "look here")
    (reply,) = await bodies(here, Side.REPLY)
    assert [one.name for one in reply.files] == ["two.png"]


async def test_names_of_channels_and_roles_stay_inside_and_their_author_is_told(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    role, place = discord.role("Fraud team"), discord.channel("merger", "text")
    thread = await begun(here)
    kenji.say(thread, f"I asked <@&{role.id}> in <#{place.id}>")
    await here.reads("I asked @team in #channel")
    await told(here, thread, "the customer reads @team, #channel instead")


async def test_an_answer_that_discord_puts_off_is_given_later(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    thread = await begun(here)
    discord.mischief.add(Fault.RATE_LIMIT, "POST /channels/{channel_id}/messages", seconds=0.2)
    kenji.say(thread, "", poll="shall we?")
    await told(here, thread, "a message of this kind cannot reach a customer")
