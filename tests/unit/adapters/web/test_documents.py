"""docs/protocol.md and docs/protocol.asyncapi.yaml say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from adapters.web import protocol, render
from adapters.web.connection import CLOSE_CODES
from adapters.web.protocol import ProblemError
from bridge.feed import Queue
from bridge.messages import TEXT_LIMIT
from routing.ids import MessageId
from routing.view import NOTICES, CustomerNotice, CustomerReaction, CustomerTranslation
from tests.unit.adapters.web.test_render import AIKO, HOUSE, RENDERER, SESSION, reply, told
from tests.unit.adapters.web.test_render import shown as shown_at

ROOT = Path(__file__).parents[4]
WORDS = (ROOT / "docs" / "protocol.md").read_text()
SCHEMA = (ROOT / "docs" / "protocol.asyncapi.yaml").read_text()
SOURCES = "".join(path.read_text() for path in (ROOT / "adapters" / "web").glob("*.py"))


def required(message: str) -> set[str]:
    """The first list of required fields that the schema gives after a message's name."""
    block, *_ = re.findall(rf"^    {message}:\n.*?required: \[(.*?)\]", SCHEMA, re.MULTILINE | re.DOTALL)
    return {field.strip() for field in block.split(",")}


def test_every_client_frame_is_described() -> None:
    for name in protocol.NAMES.values():
        assert re.search(rf"`{name}`", WORDS), name
        assert re.search(rf"^      {name}: ", SCHEMA, re.MULTILINE), name


def test_every_goodbye_is_described_with_its_close_code() -> None:
    rows = [line.split("|")[1:3] for line in WORDS.splitlines() if re.match(r"\| `\w+`.*\| [14]\d{3}", line)]
    described = {
        code: int(number)
        for codes, numbers in rows
        for code, number in _pairs(re.findall(r"`(\w+)`", codes), re.findall(r"\d+", numbers))
    }
    assert described == CLOSE_CODES
    for code in CLOSE_CODES:
        assert re.search(rf"\b{code}\b", SCHEMA)


def _pairs(codes: list[str], numbers: list[str]) -> list[tuple[str, str]]:
    """Two codes of one row share its number, or have one each."""
    return list(zip(codes, numbers * len(codes) if len(numbers) == 1 else numbers, strict=True))


def test_every_code_of_a_refusal_is_described() -> None:
    codes = set(re.findall(r'(?:_wrong|ProblemError)\(\s*"(\w+)"', SOURCES))
    assert {"wrong_type", "not_stored", "unknown_file", "expired"} <= codes
    for code in codes:
        assert f"`{code}`" in WORDS, code
        assert re.search(rf"\b{code}\b", SCHEMA), code


def test_every_notice_is_described() -> None:
    for key in NOTICES:
        assert f"`{key}`" in WORDS
    (keys,) = re.findall(r"key: \{enum: \[(.*?)\]", SCHEMA)
    assert tuple(keys.split(", ")) == NOTICES


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        ("ack", render.ack("message-1", "K7Q2")),
        ("refused", render.refused(ProblemError("empty", "it is empty"))),
        ("bye", render.bye("slow", "too slow")),
        ("session", RENDERER.opening(SESSION, "en")),
        ("queue", render.queue("K7Q2", None)),
        ("house", HOUSE.frame("en")),
        ("pong", render.pong(1)),
        ("heartbeat", render.beat(1)),
        ("theyType", RENDERER.typing(AIKO, "en")),
    ],
)
def test_the_fields_of_a_frame_are_those_of_the_schema(message: str, frame: bytes) -> None:
    assert set(json.loads(frame)) == required(message)


def test_the_fields_of_an_event_are_those_of_the_schema() -> None:
    _, _, schema = SCHEMA.rpartition("\n    event:\n")
    message, reaction, notice, translation = (
        {one.strip(" '") for one in found.split(",")} for found in re.findall(r"required: \[(.*?)\]", schema)
    )
    assert set(told(1, reply("s:1"), "hello")) == message
    assert set(told(1, CustomerTranslation(7, MessageId("s:1"), 0, "en"), "hello")) == translation
    assert set(told(1, CustomerReaction(7, MessageId("s:1"), "👍", on=True))) == reaction
    event = RENDERER.event(SESSION, shown_at(1, CustomerNotice(7, "closed")), render.Reader("x", "en"))
    assert set(event) == notice


def schema_of(name: str) -> set[str]:
    """The required fields of one of the schemas' objects."""
    found = re.search(rf"^    {name}:\n(?:.*\n)*?.*?required: \[(.*?)\]", SCHEMA, re.MULTILINE)
    assert found is not None
    return {one.strip() for one in found[1].split(",")}


def test_what_a_frame_holds_has_the_fields_of_its_schema() -> None:
    assert set(RENDERER.after(SESSION, "en")) == schema_of("after")
    assert set(render.place(Queue(1))) == schema_of("place")
    assert set(HOUSE.news("en")["service"]) == schema_of("service")
    assert set(HOUSE.contact(SESSION.desk) or {}) == schema_of("contact")


def test_the_limits_in_the_description_are_those_of_the_code() -> None:
    assert f"{TEXT_LIMIT:,} characters" in WORDS
    assert f"over {protocol.FRAME_BYTES // 1024} KiB" in WORDS
    assert f"above {protocol.HARD_BYTES // 1024} KiB" in WORDS
