"""What an administrator may choose, as plain values. Read from files by `config`, handed to `decide`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.ids import DeskId, NetworkName, OperatorId, Place, Topic

MINUTE = 60_000
HOUR = 60 * MINUTE


class Assignment(StrEnum):
    """How a desk's waiting sessions find an operator."""

    CLAIM = "claim"  # by hand
    ROUND_ROBIN = "round_robin"


@dataclass(frozen=True, slots=True)
class Desk:
    """A language's or a topic's team. All times in milliseconds."""

    id: DeskId
    network: NetworkName
    place: Place
    languages: tuple[str, ...] = ()  # empty: any
    topics: tuple[Topic, ...] = ()  # empty: any
    assignment: Assignment = Assignment.CLAIM
    gone_after: int = 10 * MINUTE
    silence_after: int = 24 * HOUR
    close_after: int = 24 * HOUR
    offer_for: int = MINUTE


@dataclass(frozen=True, slots=True)
class OperatorProfile:
    """An operator as the rules and the customer know them. `names` is the public name per language."""

    id: OperatorId
    names: Mapping[str, str]
    desks: tuple[DeskId, ...] = ()
    capacity: int = 4

    def public_name(self, language: str) -> str:
        """The name a customer of this language sees; never the account's."""
        base = language.split("-")[0]
        return (
            self.names.get(language)
            or self.names.get(base)
            or self.names.get("en")
            or next(iter(self.names.values()), "")
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole of it. There is always at least one desk that takes anything."""

    desks: Mapping[DeskId, Desk]
    topics: tuple[Topic, ...] = ()
    revise_within: int = 15 * MINUTE
    hold_at_most: int = 7 * 24 * HOUR
    operators: Mapping[OperatorId, OperatorProfile] = field(default_factory=dict)

    def desk_for(self, language: str, topic: Topic) -> Desk:
        """The most particular desk: language and topic, then language, then topic, then the first one."""
        return max(self.desks.values(), key=lambda desk: _fit(desk, language, topic))


def _fit(desk: Desk, language: str, topic: Topic) -> tuple[int, int]:
    speaks = _speaks(desk, language)
    handles = 1 if not desk.topics else 2 if topic in desk.topics else 0
    return (min(speaks, handles), speaks * 2 + handles)


def _speaks(desk: Desk, language: str) -> int:
    if not desk.languages:
        return 1
    return 3 if language in desk.languages else 2 if language.split("-")[0] in desk.languages else 0
