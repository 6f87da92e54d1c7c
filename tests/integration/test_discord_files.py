"""Files to Discord: as bytes within its limits, by a link where they are larger, as a line where they are held back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bridge.files import MIB
from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Stored
from routing.effects import FILES
from routing.facts import Side
from routing.ids import OperatorId
from routing.inputs import CustomerRevised, PurgeReason
from routing.policy import Attachments
from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Message, Person, Thread
from tests.simulators.discord.permissions import BOT, P


@pytest.fixture
def desk(discord: DiscordSimulator) -> Channel:
    return discord.channel("support", "text", private=True)


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("kenji")
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, discord, desks=[desk], largest=12 * MIB) as one:
        await one.enrol(kenji)
        await one.listens()
        yield one


def picture(side: int = 8) -> bytes:
    content = BytesIO()
    Image.new("RGB", (side, side), "red").save(content, "PNG")
    return content.getvalue()


def document(size: int) -> bytes:
    """A PDF of so many bytes, as far as anybody looks at it."""
    ending = b"\nstartxref\n9\n%%EOF\n"
    return b"%PDF-1.4\n" + b"%" * (size - 9 - len(ending)) + ending


async def kept(here: House, name: str, content: bytes) -> FilePart:
    file = await here.files.put("customer", name, content, name)
    return FilePart(file.file_id, file.name, file.media_type, file.size, file.width or 0, file.height or 0)


def shown(here: House, thread: Thread) -> list[list[str]]:
    """The names of the files beneath each post that has any."""
    posts: list[Message] = [one for one in here.discord.messages(thread) if one.attachments]
    return [[file.filename for file in one.attachments] for one in posts]


async def test_what_one_request_does_not_hold_stands_in_several(here: House) -> None:
    parts = [await kept(here, f"{number}.pdf", document(9 * MIB + number)) for number in range(3)]
    await here.writes("look", *parts)
    thread = await here.thread()
    await here.lanes_are_empty()
    assert shown(here, thread) == [["0.pdf", "1.pdf"], ["2.pdf"]]
    assert len([line for line in here.said(thread) if "look" in line]) == 1


async def test_what_the_server_does_not_take_has_a_link(here: House) -> None:
    large, small = await kept(here, "secret.pdf", document(11 * MIB)), await kept(here, "a.png", picture())
    await here.writes("look", large, small)
    thread = await here.thread()
    (line,) = [one for one in await here.shows(thread, "too large to show here") if "look" in one]
    await here.lanes_are_empty()
    assert shown(here, thread) == [["a.png"]]
    assert "Document (PDF), 11.0 MB, too large to show here" in line
    assert f"https://files.example/{large.file}" in line
    assert "https://desk.example/#" in line
    assert "secret" not in line


async def test_where_no_files_may_be_attached_the_words_stand_and_say_so(
    here: House, discord: DiscordSimulator, desk: Channel
) -> None:
    discord.deny(desk, discord.guild.app.bot.id, P.ATTACH_FILES)
    file = await kept(here, "secret.png", picture())
    await here.writes("look", file)
    thread = await here.thread()
    await here.lanes_are_empty()
    (line,) = [one for one in here.said(thread) if "look" in one]
    assert shown(here, thread) == []
    assert "which Discord does not take here" in line
    assert f"https://files.example/{file.file}" in line
    assert "secret" not in line


async def test_what_was_not_taken_is_still_said_when_the_words_are_edited_and_goes_with_its_file(
    here: House, discord: DiscordSimulator, desk: Channel
) -> None:
    discord.deny(desk, discord.guild.app.bot.id, P.ATTACH_FILES)
    one, two = await kept(here, "one.png", picture()), await kept(here, "two.png", picture(16))
    receipt = await here.writes("look", one, two)
    thread = await here.thread()
    await here.lanes_are_empty()
    body = Body((TextPart("please look"), one, two))
    assert await here.does(CustomerRevised(receipt.stored.session.recent[-1].message, committed=True), body)
    (line,) = [line for line in await here.shows(thread, "please look") if "please look" in line]
    assert line.count("which Discord does not take here") == 2
    assert f"https://files.example/{one.file}" in line
    assert f"https://files.example/{two.file}" in line
    await purge(here, await here.session(), one.file)
    (line,) = [line for line in here.said(thread) if "please look" in line]
    assert line.count("which Discord does not take here") == 1
    assert f"https://files.example/{two.file}" in line


async def test_what_turned_out_too_large_is_still_said_when_the_words_are_edited(
    here: House, discord: DiscordSimulator
) -> None:
    await here.writes("hello")
    thread = await here.thread()
    await here.lanes_are_empty()
    file = await kept(here, "a.png", picture())
    refused = discord.mischief.add(Fault.REFUSE, "POST /channels/{channel_id}/messages", status=413, code=40005)
    receipt = await here.writes("look", file)
    await here.lanes_are_empty()
    assert refused.fired == 1
    body = Body((TextPart("please look"), file))
    assert await here.does(CustomerRevised(receipt.stored.session.recent[-1].message, committed=True), body)
    (line,) = [line for line in await here.shows(thread, "please look") if "please look" in line]
    assert line.count("too large to show here") == 1


async def test_a_boosted_server_takes_more_until_its_boosts_are_gone(here: House, discord: DiscordSimulator) -> None:
    discord.guild.premium_tier = 2
    await here.writes("look", await kept(here, "first.pdf", document(11 * MIB)))
    thread = await here.thread()
    await here.lanes_are_empty()
    assert shown(here, thread) == [["first.pdf"]]
    discord.guild.premium_tier = 0
    await here.writes("again", await kept(here, "second.pdf", document(11 * MIB + 1)))
    await here.shows(thread, "too large to show here")
    await here.lanes_are_empty()
    assert shown(here, thread) == [["first.pdf"]]
    assert len([line for line in here.said(thread) if "again" in line]) == 1


async def test_a_held_file_is_told_of_and_no_byte_of_it_leaves(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel
) -> None:
    rules = {"attachments": Attachments.HELD}
    async with house(engine_url, tmp_path, discord, desks=[desk], rules=rules) as here:
        await here.writes("my passport", await kept(here, "passport.png", picture()))
        thread = await here.thread()
        (line,) = await here.shows(thread, "kept back")
        await here.lanes_are_empty()
        assert shown(here, thread) == []
        assert "passport.png" not in line
        assert "https://desk.example/#" in line


async def purge(here: House, stored: Stored, file: str) -> None:
    await here.purges.order(stored, file, PurgeReason.CREDENTIALS, OperatorId("kenji"))
    await here.lanes_are_empty()

    async def bytes_are_seen_to() -> bool:
        return await here.store.lane_states(stored.session.id, FILES) is None

    await here.until(bytes_are_seen_to)


async def test_one_of_two_files_is_removed_and_the_other_stays(here: House) -> None:
    bad, good = await kept(here, "phrase.png", picture()), await kept(here, "chart.png", picture(16))
    receipt = await here.writes("help", bad, good)
    thread = await here.thread()
    await here.lanes_are_empty()
    assert shown(here, thread) == [["phrase.png", "chart.png"]]
    await purge(here, receipt.stored, bad.file)
    assert shown(here, thread) == [["chart.png"]]
    assert any("help" in line and "An attachment was removed" in line for line in here.said(thread))


async def test_what_an_operator_uploaded_here_is_said_to_be_left(here: House, kenji: Person) -> None:
    await here.writes("help")
    thread = await here.thread()
    kenji.say(thread, "here", files=[("statement.png", picture())])
    await here.reads("here")
    stored = await here.session()
    (attached,) = await here.purges.attached(stored.session.id)
    await purge(here, stored, attached.file)
    (left,) = await here.purges.remaining(stored.session.id, attached.file)
    assert left.startswith(f"discord https://discord.com/channels/{here.discord.guild.id}/{thread.id}/")
    assert stored.session.recent[-1].side is Side.REPLY
