"""Records: every one comes back as it was; an older release's and a newer one's are read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.redis import codec
from bridge.messages import About, Body, FilePart, TextPart
from bridge.ports import Entry
from routing.effects import EFFECTS, Effect
from routing.facts import FACTS, Actor, Fact, UnknownFact
from routing.session import Session

NUMBERS = st.integers(-(2**53), 2**53)
"""What every JSON reader keeps exactly; ours are milliseconds and counts."""

st.register_type_strategy(int, NUMBERS)


def of(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind)


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
def test_a_fact_comes_back_as_it_was(kind: type[Fact]) -> None:
    @settings(max_examples=15, deadline=None)
    @given(of(kind), st.integers(0, 2**31), st.text(), st.none() | st.integers(1, 2**31))
    def comes_back(fact: Fact, index: int, tag: str, visible: int | None) -> None:
        entry = Entry(index, tag, visible, fact)
        assert codec.decode_entry(_text(codec.encode_entry(entry))) == entry

    comes_back()


@pytest.mark.parametrize("kind", EFFECTS, ids=lambda kind: kind.__name__)
def test_an_effect_comes_back_as_it_was(kind: type[Effect]) -> None:
    @settings(max_examples=15, deadline=None)
    @given(of(kind))
    def comes_back(effect: Effect) -> None:
        assert codec.decode_effect(_text(codec.encode_effect(effect))) == effect

    comes_back()


@settings(max_examples=60, deadline=None)
@given(of(Session))
def test_a_session_comes_back_as_it_was(session: Session) -> None:
    assert codec.decode_session(_text(codec.encode_session(session))) == session


@settings(max_examples=60, deadline=None)
@given(st.lists(of(TextPart) | of(FilePart)).map(tuple))
def test_words_and_files_come_back_as_they_were(parts: tuple[Any, ...]) -> None:
    assert codec.decode_body(_text(codec.encode_body(Body(parts)))) == Body(parts)


@settings(max_examples=40, deadline=None)
@given(of(About))
def test_what_is_known_of_the_customer_comes_back_as_it_was(about: About) -> None:
    assert codec.decode_about(_text(codec.encode_about(about))) == about


def _text(record: bytes) -> str:
    """As Redis gives it back."""
    return record.decode()


# ------------------------------------------------------------------ other releases


COMMON = {"at": 5, "actor": "operator", "cause": "k", "desk": "en", "topic": "t"}


def _line(kind: str, **fields: object) -> str:
    return json.dumps({"n": 3, "t": "tag", "v": None, "k": kind, "f": {**COMMON, **fields}})


def test_a_fact_of_a_newer_release_is_kept_as_it_was() -> None:
    line = _line("OperatorYodelled", how="loud", nested={"deep": [1, 2]})
    entry = codec.decode_entry(line)
    assert isinstance(entry.fact, UnknownFact)
    assert (entry.index, entry.tag, entry.fact.at, entry.fact.actor) == (3, "tag", 5, Actor.OPERATOR)
    assert _text(codec.encode_entry(entry)) == line


@pytest.mark.parametrize(
    "line",
    [
        _line("OperatorAssigned", operator="aiko", why="by_horoscope"),
        _line("OperatorAssigned", why="claimed"),
        _line("OperatorYodelled", actor="robot"),
    ],
)
def test_a_known_fact_with_a_word_that_is_not_is_kept_too(line: str) -> None:
    """One journal line must not make a whole session unreadable."""
    entry = codec.decode_entry(line)
    assert isinstance(entry.fact, UnknownFact)
    assert _text(codec.encode_entry(entry)) == line


def test_a_known_fact_with_a_new_field_is_read_without_it() -> None:
    entry = codec.decode_entry(_line("CustomerMessageAdded", message="c:1", mood="cheerful"))
    assert type(entry.fact).__name__ == "CustomerMessageAdded"


@settings(max_examples=40, deadline=None)
@given(of(Session), st.data())
def test_a_snapshot_of_an_older_release_gets_this_ones_defaults(session: Session, data: st.DataObject) -> None:
    record = json.loads(codec.encode_session(session))
    missing = data.draw(st.sampled_from(["early", "recent", "transfers", "previous", "erased", "offer", "reopenings"]))
    fields = record["session"]
    fields.pop(missing, None)
    record["schema"] = codec.SCHEMA - 1
    read = codec.decode_session(json.dumps(record))
    assert getattr(read, missing) == type(session).__dataclass_fields__[missing].default
    assert read.id == session.id


def test_a_snapshot_from_two_releases_ahead_is_refused() -> None:
    with pytest.raises(ValueError, match="ahead"):
        codec.decode_session(json.dumps({"schema": codec.SCHEMA + 2, "session": {}}))
