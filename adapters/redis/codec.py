"""Records as JSON, versioned, and back.

A record is a dataclass; fields at their default are left out, so a snapshot stays small and an older release's record
reads with this release's defaults. A kind of fact that this release does not know is kept as `UnknownFact`, raw.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from bridge.messages import About, Body, FilePart, Part, TextPart
from bridge.ports import Entry, Stored
from routing.effects import EFFECTS, Effect
from routing.facts import FACTS, Actor, Fact, UnknownFact
from routing.ids import DeskId, InputKey, Topic
from routing.session import Early, Session, Spoken

SCHEMA = 1
"""The number of this release's records. A release reads its own and the one before."""

_FACTS = {kind.__name__: kind for kind in FACTS}
_EFFECTS = {kind.__name__: kind for kind in EFFECTS}
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_MISSING = dataclasses.MISSING


def encode_entry(entry: Entry) -> str:
    """One line of the journal."""
    fact = entry.fact
    if isinstance(fact, UnknownFact):
        return fact.raw
    record = {"k": type(fact).__name__, **_to_record(fact)}
    return _dump({"n": entry.index, "t": entry.tag, "v": entry.visible, "f": record})


def decode_entry(text: str) -> Entry:
    line = json.loads(text)
    return Entry(line["n"], line["t"], line["v"], _fact(line["f"], text))


def _fact(record: dict[str, Any], raw: str) -> Fact:
    kind = record.pop("k")
    known = _FACTS.get(kind)
    if known is not None:
        return typing.cast(Fact, _from_record(known, record))
    return UnknownFact(
        at=record.get("at", 0),
        actor=Actor(record.get("actor", "bridge")),
        cause=InputKey(record.get("cause", "")),
        desk=DeskId(record.get("desk", "")),
        topic=Topic(record.get("topic", "")),
        kind=kind,
        raw=raw,
    )


def encode_effect(effect: Effect) -> str:
    return _dump({"k": type(effect).__name__, **_to_record(effect)})


def decode_effect(text: str) -> Effect:
    record = json.loads(text)
    return typing.cast(Effect, _from_record(_EFFECTS[record.pop("k")], record))


def encode_session(session: Session) -> str:
    return _dump({"schema": SCHEMA, **_to_record(session)})


def decode_session(text: str) -> Session:
    record = json.loads(text)
    if record.pop("schema") > SCHEMA + 1:
        raise ValueError("written by a release two or more ahead of this one")
    return typing.cast(Session, _from_record(Session, record))


def decode_stored(fields: Mapping[str, str]) -> Stored:
    """The snapshot hash, as the commit script writes it."""
    return Stored(
        decode_session(fields["session"]),
        int(fields["head"]),
        int(fields["visible"]),
        fields["tag"],
        fields["epoch"],
    )


def encode_body(body: Body) -> str:
    return _dump([_part(part) for part in body.parts])


def _part(part: Part) -> dict[str, Any]:
    return {"text": part.text} if isinstance(part, TextPart) else _to_record(part)


def decode_body(text: str) -> Body:
    parts = [TextPart(one["text"]) if "text" in one else _from_record(FilePart, one) for one in json.loads(text)]
    return Body(tuple(parts))


def encode_about(about: About) -> str:
    return _dump(_to_record(about))


def decode_about(text: str | None) -> About:
    return typing.cast(About, _from_record(About, json.loads(text))) if text else About()


def encode_plain(value: Mapping[str, object]) -> str:
    return _dump(value)


def decode_plain(text: str) -> dict[str, Any]:
    return typing.cast(dict[str, Any], json.loads(text))


# ------------------------------------------------------------------ dataclass <-> plain values


@lru_cache(maxsize=65_536)
def _remembered(value: Spoken | Early) -> dict[str, Any]:
    """A message that can still be edited goes into every snapshot until it cannot; it is turned to a record once."""
    return _fields_to_record(value)


def _to_record(value: Any) -> dict[str, Any]:
    return _remembered(value) if isinstance(value, Spoken | Early) else _fields_to_record(value)


def _fields_to_record(value: Any) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, default in _fields(typing.cast(Any, type(value))):
        held = getattr(value, name)
        if held is default or held == default:
            continue
        record[name] = _plain(held)
    return record


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if dataclasses.is_dataclass(value):
        return _to_record(value)
    if isinstance(value, Mapping):
        return dict(value)
    return value


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
