"""What a page may say: text is taken byte for byte or refused, and nothing that arrives can surprise us."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.web import protocol
from adapters.web.protocol import FRAME_BYTES, Message, NamedFile, ProblemError
from bridge.feed import Position
from bridge.messages import TEXT_LIMIT, TextPart

ADDRESSES = st.sampled_from(
    [
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "4e3a3754410177e6937ef1f84bba68ea139e8d1a2258c5f85db9f1cd715a1bdd",
        "1,234.50 USD",
        "￥1，234．50",
        "http://a.example/?q=1&r=%20#x",
        "-- (c) 1/2 ...",
        "\u202e\u2066\u200f",
        "👩‍👩‍👧‍👦",
        "e\u0301",
    ]
)
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), "\x7f"]) | st.sampled_from(
    "\t\n"
)
TEXTS = st.lists(ADDRESSES | st.text(LETTERS, max_size=200), min_size=1, max_size=8).map("".join)


def said(**fields: object) -> str:
    return json.dumps({"t": "message", "id": "message-1", **fields}, ensure_ascii=False)


def words(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


def problem(text: str) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        protocol.parse(text)
    return caught.value


@given(TEXTS.filter(lambda text: not text.isspace() and bool(text)))
@example("0" * TEXT_LIMIT)
def test_text_is_taken_byte_for_byte(text: str) -> None:
    for ensure_ascii in (True, False):
        frame = json.dumps({"t": "message", "id": "message-1", "parts": words(text)}, ensure_ascii=ensure_ascii)
        taken = protocol.parse(frame, 10 * FRAME_BYTES)
        assert isinstance(taken, Message)
        assert taken.parts == (TextPart(text),)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = "v token jwt locale page tz session position id parts topic language message seen solved n e o t"
FIELDS = st.sampled_from(NAMES.split())
FRAMES = st.dictionaries(FIELDS, JSON, max_size=8).flatmap(
    lambda fields: st.sampled_from([*protocol.NAMES.values(), "shout"]).map(lambda kind: {**fields, "t": kind})
)


def outcome(text: str) -> str:
    """The code of what is wrong, or empty for a frame."""
    try:
        return "" if type(protocol.parse(text)) in protocol.NAMES else "no frame"
    except ProblemError as problem:
        return problem.code if problem.what else "no words"


CODES = {
    "", "not_json", "not_an_object", "unknown_type", "wrong_type", "missing", "out_of_range", "frame_too_large",
    "empty", "too_long", "too_many_parts", "control_characters", "lone_surrogates", "bad_id", "unknown_file",
}  # fmt: skip
"""Those that docs/protocol.md lists for a frame's shape."""


@given(FRAMES | JSON)
def test_whatever_arrives_is_a_frame_or_a_problem_with_a_code(value: object) -> None:
    assert outcome(json.dumps(value)) in CODES


@given(st.text())
def test_no_bare_text_is_a_frame(text: str) -> None:
    assert outcome(text) in ("not_json", "not_an_object")


@pytest.mark.parametrize("number", [*range(9), *range(11, 32), 127])
def test_control_characters_are_refused_and_never_taken_out(number: int) -> None:
    found = problem(said(parts=words(f"a{chr(number)}b")))
    assert (found.code, found.field, found.of, found.id) == (
        "control_characters",
        "parts[0].text",
        "message",
        "message-1",
    )


@pytest.mark.parametrize("text", ["a\tb\nc", "\u0085", "\u200b", "\u202e", "\ufeff", "\u0600"])
def test_what_only_looks_odd_is_text(text: str) -> None:
    taken = protocol.parse(said(parts=words(f"a{text}b")))
    assert isinstance(taken, Message)
    assert taken.parts == (TextPart(f"a{text}b"),)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({}, "missing", "parts"),
        ({"parts": None}, "missing", "parts"),
        ({"parts": {}}, "wrong_type", "parts"),
        ({"parts": []}, "empty", "parts"),
        ({"parts": words("")}, "empty", "parts"),
        ({"parts": words(" \u3000\n")}, "empty", "parts"),
        ({"parts": words("x" * 4_001)}, "too_long", "parts"),
        ({"parts": words("x" * 2_001) * 2}, "too_long", "parts"),
        ({"parts": words("x") * 11}, "too_many_parts", "parts"),
        ({"parts": ["x"]}, "wrong_type", "parts[0]"),
        ({"parts": [*words("x"), {"type": "html"}]}, "unknown_type", "parts[1].type"),
        ({"parts": [{"type": "text"}]}, "missing", "parts[0].text"),
        ({"parts": [{"type": "text", "text": ["x"]}]}, "wrong_type", "parts[0].text"),
        ({"parts": [{"type": "file", "file": 1}]}, "wrong_type", "parts[0].file"),
        ({"parts": [{"type": "file", "file": "../x"}]}, "unknown_file", "parts[0].file"),
        ({"parts": words("x"), "topic": 5}, "wrong_type", "topic"),
        ({"parts": words("x"), "topic": "x" * 65}, "too_long", "topic"),
        ({"parts": words("x"), "topic": "a\nb\0"}, "control_characters", "topic"),
    ],
)
def test_a_message_that_is_wrong_names_the_place(fields: dict[str, object], code: str, field: str) -> None:
    found = problem(said(**fields))
    assert (found.code, found.field, found.id, found.retry) == (code, field, "message-1", False)


@pytest.mark.parametrize("name", ["", "1234567", "a" * 65, "with space", "ｆｕｌｌｗｉｄｔｈ", "line\nfeed1"])
def test_an_id_that_is_none_is_not_repeated(name: str) -> None:
    found = problem(json.dumps({"t": "message", "id": name, "parts": words("x")}))
    assert found.code in ("bad_id", "missing")
    assert found.id == ""


@pytest.mark.parametrize(
    ("frame", "code", "field"),
    [
        ({"t": "hello"}, "missing", "v"),
        ({"t": "hello", "v": True}, "wrong_type", "v"),
        ({"t": "hello", "v": 1.0}, "wrong_type", "v"),
        ({"t": "hello", "v": 1, "jwt": "x" * 9_000}, "too_long", "jwt"),
        ({"t": "hello", "v": 1, "locale": 1}, "wrong_type", "locale"),
        ({"t": "hello", "v": 1, "position": []}, "wrong_type", "position"),
        ({"t": "hello", "v": 1, "position": {"e": "", "o": "1", "t": ""}}, "wrong_type", "position.o"),
        ({"t": "hello", "v": 1, "position": {"e": "", "o": 2**60, "t": ""}}, "out_of_range", "position.o"),
        ({"t": "hello", "v": 1, "position": {"o": 1}}, "wrong_type", "position"),
        ({"t": "identify"}, "missing", "jwt"),
        ({"t": "refresh", "jwt": None}, "missing", "jwt"),
        ({"t": "received"}, "missing", "message"),
        ({"t": "received", "message": "x", "seen": "yes"}, "wrong_type", "seen"),
        ({"t": "answer", "id": "answer-1"}, "missing", "solved"),
        ({"t": "choose_language", "id": "choice-1"}, "missing", "language"),
        ({"t": "choose_language", "id": "choice-1", "language": "no such!"}, "missing", "language"),
        ({"t": "choose_language", "id": "choice-1", "language": 1}, "wrong_type", "language"),
        ({"t": "choose_language", "language": "ja"}, "missing", "id"),
        ({"t": "ping"}, "missing", "n"),
    ],
)
def test_every_fields_type_is_checked(frame: dict[str, object], code: str, field: str) -> None:
    found = problem(json.dumps(frame))
    assert (found.code, found.field, found.of) == (code, field, frame["t"])


def test_a_hello_is_read() -> None:
    place = {"e": "ep", "o": 3, "t": "tag", "more": 1}
    page = "https://shop.example/trade/btc?secret=1#x"
    text = json.dumps(
        {"t": "hello", "v": 1, "locale": "ja", "page": page, "tz": "Asia/Tokyo", "position": place, "x": 1}
    )
    hello = protocol.parse(text)
    assert hello == protocol.Hello(
        1, locale="ja", page="https://shop.example/trade/btc", tz="Asia/Tokyo", position=Position("ep", 3, "tag")
    )


@pytest.mark.parametrize(
    "page",
    [
        "javascript:alert(1)",
        "https://user:pw@shop.example/",
        "shop.example",
        "https://",
        "https://shop.example/" + "x" * 600,
    ],
)
def test_context_that_is_odd_is_left_out_and_locks_nobody_out(page: str) -> None:
    hello = protocol.parse(json.dumps({"t": "hello", "v": 1, "page": page, "locale": "no such!", "tz": "<b>"}))
    assert hello == protocol.Hello(1)


def test_the_largest_message_fits_into_a_frame() -> None:
    text = said(parts=words("😀" * TEXT_LIMIT), topic="t" * 64, language="zh-Hant")
    assert isinstance(protocol.parse(text), Message)


def test_a_frame_that_is_too_large_is_refused_by_its_id() -> None:
    found = problem(said(parts=words("界" * 6_000)))
    assert (found.code, found.of, found.id) == ("frame_too_large", "message", "message-1")


def test_a_file_is_named_by_its_id_only() -> None:
    taken = protocol.parse(said(parts=[{"type": "file", "file": "f_1-A", "name": "x.png", "url": "https://evil"}]))
    assert isinstance(taken, Message)
    assert taken.parts == (NamedFile("f_1-A"),)
