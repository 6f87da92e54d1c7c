"""Nothing that a customer writes acts, in whichever place of Discord's it stands: thread, title, card, frame, a file's
name, window, answer to a press. Judged by the simulator's reading of every call that was made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from bridge.messages import About, Body, FilePart, TextPart
from bridge.relay import Greeting
from bridge.templates import Template
from routing.ids import InputKey, MessageId, Topic
from routing.inputs import CustomerEnded, CustomerRevised, CustomerWithdrew, CustomerWrote
from tests.integration.discord_house import CUSTOMER, House, house
from tests.simulators.discord import Act, Channel, DiscordSimulator, Person, acts_in
from tests.simulators.discord.components import every
from tests.simulators.discord.methods import Call
from tests.simulators.discord.permissions import BOT
from tests.unit.simulators.discord.test_markdown import ACTS

OURS = frozenset(("subtext", "quote", "block", "bold", "timestamp", "style", "channel", "user", "code", "masked_link"))
"""What our own lines have. Of these too, nothing may be the customer's."""

THEIRS = ("80351110224678912", "103735883630395392", "1618953630", "<t:0>", "example.com", "`code`", "evil")

WAYS = ["Note", "Transfer", "Hold", "Resolve", "Reply from templates", "History", "Block"]


def hostile(seed: int) -> str:
    """All of Discord's syntax, in some order, in lines and beside one another."""
    random = Random(seed)
    pieces = [*ACTS, "```", "`", "\\", "\u202e", "\u200b", "**evil", "](https://evil.example)", "@everyone"]
    random.shuffle(pieces)
    return "".join(f"{piece}{random.choice(('', ' ', chr(10)))}" for piece in pieces)


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
    discord.guild.emoji["216154654256398347"] = "mmLol"
    discord.channel("refunds", "forum" if desk.kind == 0 else "text", private=True)
    hello = Template("hello", {"en": "Hello {customer}, {operator} here."})
    parts = {"templates": lambda desk: (hello,), "admin_link": "https://admin.example/{account_id}"}
    both = [desk, discord.find_channel("refunds")]
    async with house(engine_url, tmp_path, discord, desks=both, parts=parts) as one:
        await one.enrol(kenji)
        await one.listens()
        yield one


def drawn(call: Call) -> Iterator[str]:
    """All text of a call that clients draw as markup."""
    yield from _texts(call.fields)


def _texts(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        window = {"title"} if "custom_id" in value else set()
        thread = {"name"} if "value" not in value else set()  # and not a frame's field
        for name in value.keys() - window - thread:
            yield from _texts(value[name], name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str) and key in ("content", "description", "title", "value", "name"):
        yield value  # a footer's text is none


def is_theirs(act: Act) -> bool:
    if act.kind not in OURS:
        return True
    return act.kind not in ("block", "bold") and any(one in act.text for one in THEIRS)


def plain_fields(call: Call) -> frozenset[str]:
    """What stands in a window's fields, where clients draw no markup."""
    data = call.fields.get("data")
    inner = every(data.get("components", [])) if isinstance(data, dict) and "custom_id" in data else []
    return frozenset(str(one["value"]) for one in inner if one.get("type") == 4 and "value" in one)


def acting(discord: DiscordSimulator) -> list[tuple[str, str, str]]:
    return [
        (call.route, act.kind, act.text)
        for call in discord.calls
        for text in set(drawn(call)) - plain_fields(call)
        for act in acts_in(text)
        if is_theirs(act)
    ]


async def writes(here: House, text: str, *files: FilePart) -> str:
    about = About(
        name=text, page=f"https://example.com/{text}", locale=text[:20], time_zone=text, claims={"plan": text}
    )
    message = MessageId(f"c:{here.discord.guild.mint()}")
    body = Body((TextPart(text), *files))
    greeting = Greeting(False, "en", Topic("transfers"), about)
    key = InputKey(f"web/{message}")
    await here.relay.from_customer(CUSTOMER, CustomerWrote(message), key, body=body, greeting=greeting)
    return message


async def named(here: House, name: str) -> FilePart:
    content = BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, "PNG")
    file = await here.files.put("customer", name, content.getvalue(), name)
    return FilePart(file.file_id, file.name, file.media_type, file.size, 8, 8)


async def presses(here: House, person: Person, label: str, number: int) -> None:
    thread = await here.thread(number)
    card = here.card(thread)
    where = thread if thread.id in thread.messages else here.desk
    labels = {str(one.get("label")) for one in every(card.components) if one["type"] == 2}
    await (person.click(where, card, label) if label in labels else person.choose(where, card, "More", label))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nothing_of_a_customers_acts_wherever_it_stands(
    here: House, discord: DiscordSimulator, kenji: Person, seed: int
) -> None:
    text = hostile(seed)
    first = await writes(here, text, await named(here, f"{text[:80]}.png"))
    thread = await here.thread()
    await here.lanes_are_empty()
    await here.does(CustomerRevised(MessageId(first), 1), Body((TextPart(hostile(seed + 100)),)))
    await here.does(CustomerWithdrew(MessageId(await writes(here, "/chat @here"))))
    posted = next(one for one in discord.messages(thread) if one.attachments and one.id != thread.id)
    kenji.say(thread, "I see", reply_to=posted)  # the customer's words above an operator's
    await here.discord.until(lambda: not here.network.busy)
    await here.does(CustomerEnded())
    await writes(here, hostile(seed + 200))
    await here.lanes_are_empty()
    for way in WAYS:
        await presses(here, kenji, way, 1)
        kenji.close_modal()
    await here.lanes_are_empty()
    assert acting(discord) == []
    ours = [one for place in (*discord.guild.threads.values(), here.desk) for one in place.messages.values()]
    rung = [ping for one in ours if one.author_id == discord.guild.app.bot.id for ping in one.pings]
    assert {ping.target for ping in rung} <= {kenji.id}
    assert all(len(one.name) <= 100 and "\n" not in one.name for one in discord.threads(here.desk))
    uploads = [upload.filename for call in discord.calls for upload in call.files]
    assert uploads
    assert all(name.isprintable() and "/" not in name for name in uploads)
    assert not any("X-Audit-Log-Reason" in call.headers for call in discord.calls)
