"""Records as JSON, versioned, and back.

A record is a dataclass, written whole by orjson and read field by field: what an older release's record lacks gets
this release's default. A kind of fact that this release does not know is kept as `UnknownFact`, raw.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from typing import Any

import orjson

from bridge.messages import About, Body, FilePart, Mark, MarkKind, Part, TextPart
from bridge.ports import Entry, Stored
from routing.effects import EFFECTS, Effect
from routing.facts import FACTS, Actor, Fact, UnknownFact
from routing.figures import Milestone, Passed
from routing.ids import DeskId, InputKey, OperatorId, SessionId, Topic
from routing.session import Session, Spoken

SCHEMA = 1
"""The number of this release's records. A release reads its own and the one before."""

_FACTS = {kind.__name__: kind for kind in FACTS}
_EFFECTS = {kind.__name__: kind for kind in EFFECTS}
_MARKS = frozenset(MarkKind)
_MISSING = dataclasses.MISSING


def encode_entry(entry: Entry) -> bytes:
    """One line of the journal."""
    fact = entry.fact
    if isinstance(fact, UnknownFact):
        return fact.raw.encode()
    return _dump({"n": entry.index, "t": entry.tag, "v": entry.visible, "k": type(fact).__name__, "f": fact})


def decode_entry(text: str) -> Entry:
    line = orjson.loads(text)
    return Entry(line["n"], line["t"], line["v"], _fact(line["k"], line["f"], text))


def _fact(kind: str, record: dict[str, Any], raw: str) -> Fact:
    known = _FACTS.get(kind)
    with suppress(ValueError, KeyError, TypeError):  # a word that only a newer release knows makes the whole unknown
        if known is not None:
            return typing.cast(Fact, _from_record(known, record))
    actor = record.get("actor")
    return UnknownFact(
        at=record.get("at", 0),
        actor=Actor(actor) if actor in set(Actor) else Actor.BRIDGE,
        cause=InputKey(record.get("cause", "")),
        desk=DeskId(record.get("desk", "")),
        topic=Topic(record.get("topic", "")),
        kind=kind,
        raw=raw,
    )


def encode_effect(effect: Effect) -> bytes:
    return _dump({"k": type(effect).__name__, "e": effect})


def decode_effect(text: str) -> Effect:
    line = orjson.loads(text)
    return typing.cast(Effect, _from_record(_EFFECTS[line["k"]], line["e"]))


def encode_session(session: Session) -> bytes:
    """A snapshot is written on every commit, so it leaves out what is at its default, and messages are rows."""
    record = {
        name: value
        for name, default in _fields(typing.cast(Any, Session))
        if (value := getattr(session, name)) not in (default, None)
    }
    record["recent"] = [_row(spoken) for spoken in session.recent]
    return _dump({"schema": SCHEMA, "session": record})


def _row(spoken: Spoken) -> tuple[Any, ...]:
    """The fields in their order, cut off where only defaults would follow."""
    row = (spoken.message, spoken.side, spoken.by, spoken.at, spoken.mirror, spoken.revision, spoken.withdrawn)
    if spoken.held:
        return (*row, spoken.translation, spoken.inside, spoken.held)
    if spoken.inside:
        return (*row, spoken.translation, spoken.inside)
    if spoken.translation:
        return (*row, spoken.translation)
    return row if spoken.revision or spoken.withdrawn else row[:5] if spoken.mirror else row[:4]


def decode_session(text: str) -> Session:
    record = orjson.loads(text)
    if record["schema"] > SCHEMA + 1:
        raise ValueError("written by a release two or more ahead of this one")
    fields = record["session"]
    names = [name for name, _ in _fields(typing.cast(Any, Spoken))]
    fields["recent"] = [dict(zip(names, row, strict=False)) for row in fields.get("recent", ())]
    return typing.cast(Session, _from_record(Session, fields))


def decode_stored(fields: Mapping[str, str]) -> Stored:
    """The snapshot hash, as the commit script writes it."""
    return Stored(
        decode_session(fields["session"]),
        int(fields["head"]),
        int(fields["visible"]),
        fields["tag"],
        fields["epoch"],
    )


def encode_body(body: Body) -> bytes:
    return _dump([_part(part) for part in body.parts])


def _part(part: Part) -> Part | dict[str, object]:
    """Words without marks are written as they were before there were any."""
    if isinstance(part, FilePart):
        return part
    more = {"marks": part.marks, "quotes": part.quotes}
    return {"text": part.text} | {name: value for name, value in more.items() if value}


def decode_body(text: str) -> Body:
    return Body(tuple(_text(one) if "text" in one else _from_record(FilePart, one) for one in orjson.loads(text)))


def _text(record: Mapping[str, Any]) -> TextPart:
    """A kind of mark that only a newer release knows is left out: the words are complete without it."""
    known = [one for one in record.get("marks", ()) if one["kind"] in _MARKS]
    return TextPart(record["text"], tuple(_from_record(Mark, one) for one in known), record.get("quotes"))


def encode_about(about: About) -> bytes:
    return _dump(about)


def decode_about(text: str | None) -> About:
    return typing.cast(About, _from_record(About, orjson.loads(text))) if text else About()


def encode_plain(value: Mapping[str, object]) -> str:
    return _dump(value).decode()


def decode_plain(text: str) -> dict[str, Any]:
    return typing.cast(dict[str, Any], orjson.loads(text))


def encode_milestone(one: Milestone) -> str:
    """Always the same text for the same milestone: a set of them holds each once."""
    return _dump([one.kind, one.session, one.at, one.operator, one.took, one.kept]).decode()


def decode_milestone(desk: DeskId, text: str) -> Milestone:
    kind, session, at, operator, took, kept, *_newer = orjson.loads(text)
    return Milestone(Passed(kind), SessionId(session), at, desk, operator and OperatorId(operator), took, kept)


# ------------------------------------------------------------------ dataclass <-> plain values


def _dump(value: object) -> bytes:
    return orjson.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    """What orjson does not know by itself: a read-only mapping."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a value of a record")


@lru_cache(maxsize=256)
def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((one.name, one.default) for one in dataclasses.fields(kind))


def _from_record(kind: type, record: Mapping[str, Any]) -> Any:
    readers = _readers(kind)
    fields = {name: reader(record[name]) for name, reader in readers.items() if name in record}
    for name, default in _fields(typing.cast(Any, kind)):
        if name not in fields and default is _MISSING and name in _nullable(kind):
            fields[name] = None
    return kind(**fields)


@lru_cache(maxsize=256)
def _nullable(kind: type) -> frozenset[str]:
    """Fields without a default that may be None; None is written as null, but an older record may lack it."""
    hints = typing.get_type_hints(kind)
    return frozenset(name for name, hint in hints.items() if type(None) in typing.get_args(hint))


@lru_cache(maxsize=256)
def _readers(kind: type) -> dict[str, Callable[[Any], Any]]:
    return {name: _reader(hint) for name, hint in typing.get_type_hints(kind).items()}


def _reader(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not type(None))
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if origin is tuple:
        read = _reader(arguments[0])
        return lambda value: tuple(read(one) for one in value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return lambda value: _from_record(hint, value)
    return lambda value: value
