"""What an administrator may choose, as plain values. Read from files by `config`, handed to `decide`.

Durations are in milliseconds. Weekdays, holidays and shifts have become spans of time here: see `routing.hours`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.hours import ALWAYS, Hours
from routing.ids import DeskId, NetworkName, OperatorId, Place, Topic

MINUTE = 60_000
HOUR = 60 * MINUTE


class Assignment(StrEnum):
    """How a desk's waiting sessions find an operator."""

    CLAIM = "claim"  # by hand
    ROUND_ROBIN = "round_robin"  # whoever was given one longest ago
    LEAST_BUSY = "least_busy"  # whoever has most room left


class Priority(StrEnum):
    """Which promises hold. `URGENT` is a topic that is an emergency: it skips the queue."""

    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Attachments(StrEnum):
    """Whether a network where operators work is given the files of a session, or only their type and size."""

    SHOWN = "shown"
    HELD = "held"


class Promised(StrEnum):
    """What a desk may promise."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


class PlainWords(StrEnum):
    """What words in a thread are that say nothing of themselves."""

    REPLY = "reply"  # of who answers, a reply
    NOTE = "note"  # a note, whoever wrote them: each reply is sent expressly


class Clock(StrEnum):
    """What time counts towards a promise."""

    BUSINESS = "business"  # while the desk is open
    WALL = "wall"


@dataclass(frozen=True, slots=True)
class Promise:
    """`within` ms of its clock. `warn_before` ms of the same clock earlier, the assignee or the desk is warned.

    `priority` None: any. `held_counts`: time on hold counts, too; else a response is owed anew from the hold's end. The
    customer's own turn never counts.
    """

    kind: Promised
    within: int
    warn_before: int = 0
    clock: Clock = Clock.BUSINESS
    priority: Priority | None = None
    held_counts: bool = False


class RungKind(StrEnum):
    """Whom a rung of the ladder calls, and how."""

    THREAD = "thread"  # a mention in the session's thread
    CHANNEL = "channel"  # a line in the desk's channel, or in `to`
    ON_CALL = "on_call"  # a direct message to who is on call by the desk's rota
    GROUP = "group"  # the user group or role `to`
    PAGER = "pager"  # the pager target `to`


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder: `after` ms from the rung before it (the first: from the ladder's start).

    It is repeated each `every` ms, `times` in all, before the next one's delay begins; the last rung for ever.
    """

    kind: RungKind
    to: str = ""
    after: int = 0
    every: int = 5 * MINUTE
    times: int = 1


@dataclass(frozen=True, slots=True)
class Ladder:
    """A desk's escalation policy. `answer_within`: what an acknowledgement promises, before it is reminded of."""

    rungs: tuple[Rung, ...] = ()
    answer_within: int = 10 * MINUTE


class AlertBy(StrEnum):
    """By what means a desk hears that a session waits."""

    NONE = "none"
    AVAILABLE = "available"  # those who are on and have room, by name
    HERE = "here"  # whoever is present in the desk's channel
    CHANNEL = "channel"  # everybody in it
    GROUP = "group"  # a user group or role


@dataclass(frozen=True, slots=True)
class Alert:
    by: AlertBy = AlertBy.NONE
    group: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """How else a desk can be reached; what is empty is not offered. `hours` are those of the telephone."""

    mail: str = ""
    phone: str = ""
    hours: Hours = ALWAYS


@dataclass(frozen=True, slots=True)
class Desk:
    """A language's or a topic's team. `place` is where it lives; `further` are the rest of its pool, if it has one."""

    id: DeskId
    network: NetworkName
    place: Place
    languages: tuple[str, ...] = ()  # empty: any
    topics: tuple[Topic, ...] = ()  # empty: any
    hours: Hours = ALWAYS
    assignment: Assignment = Assignment.CLAIM
    last_operator_first: bool = True
    offer_for: int = MINUTE
    promises: tuple[Promise, ...] = ()
    ladder: Ladder = Ladder()
    rota: str = ""
    fallbacks: tuple[DeskId, ...] = ()  # in order: for overflow, for a desk that is gone
    overflow_after: int | None = None  # a session waiting unanswered so long moves to the first open fallback
    contact: Contact = Contact()
    contact_after: int | None = None  # offer the contact to who has waited so long
    alert: Alert = Alert()  # how it hears of a session that waits
    remind_after: int = 10 * MINUTE  # a customer's words after so much quiet call the assignee again; 0: never
    unreached_after: int = 30_000  # a reply to an absent customer is said not to be delivered after this
    attachments: Attachments | None = None  # None: as the topic says
    estimate_from: int = 5  # handled sessions of the last hour below which "we cannot tell"
    gone_after: int = 10 * MINUTE
    silence_after: int = 24 * HOUR
    close_after: int = 24 * HOUR
    told_reactions: tuple[str, ...] = ("👀",)  # the assignee's that tell the customer: "we are looking into it"
    further: tuple[Place, ...] = ()
    plain_words: PlainWords = PlainWords.REPLY
    personas: bool = False  # customers' posts bear their names, where a network can do so only at a cost
    undo: int = 0  # ms that a reply may be taken back before it leaves

    @property
    def places(self) -> tuple[Place, ...]:
        """The desk's pool: each of its sessions lives at one of these."""
        return (self.place, *self.further)

    def speaks(self, language: str) -> bool:
        return not self.languages or language in self.languages or language.split("-")[0] in self.languages


@dataclass(frozen=True, slots=True)
class TopicRules:
    """What a topic demands. `head_start`: ms that its sessions count as having waited longer than they have."""

    id: Topic
    emergency: bool = False
    identity_check: bool = False
    head_start: int = 0
    priority: Priority = Priority.NORMAL
    hours: Hours = ALWAYS
    attachments: Attachments | None = None  # None: held where the topic demands an identity check

    @property
    def effective_priority(self) -> Priority:
        return Priority.URGENT if self.emergency else self.priority


@dataclass(frozen=True, slots=True)
class HeadStarts:
    """What moves a session forward in its queue, in ms of waiting: so it ages, and nobody waits for ever."""

    verified: int = 2 * MINUTE
    returning: int = MINUTE


@dataclass(frozen=True, slots=True)
class Shift:
    """`operator` is on call from `start` until `end`."""

    start: int
    end: int
    operator: OperatorId


@dataclass(frozen=True, slots=True)
class Rota:
    """Who is on call. The shifts are sorted and no two overlap: overrides are worked in where the policy is read."""

    shifts: tuple[Shift, ...] = ()

    def on_call(self, at: int) -> OperatorId | None:
        shift = self.shift_at(at)
        return shift.operator if shift else None

    def shift_at(self, at: int) -> Shift | None:
        place = bisect_right(self.shifts, at, key=_begin) - 1
        return self.shifts[place] if place >= 0 and at < self.shifts[place].end else None

    def changes_after(self, at: int) -> int | None:
        """When the next hand-over is due: somebody else, or nobody, is on call from then on."""
        here = self.shift_at(at)
        if here is not None:
            following = self.shift_at(here.end)
            same = following is not None and following.operator == here.operator
            return self.changes_after(here.end) if same else here.end
        place = bisect_right(self.shifts, at, key=_begin)
        return self.shifts[place].start if place < len(self.shifts) else None


def _begin(shift: Shift) -> int:
    return shift.start


@dataclass(frozen=True, slots=True)
class OperatorProfile:
    """An operator as the rules and the customer know them. `names` is the public name per language.

    `languages` is how well they speak what, from 1 (with a dictionary) to 3 (as their own); empty: any, well.
    `hours` None: they say themselves when they are on; else their availability follows this schedule.
    """

    id: OperatorId
    names: Mapping[str, str]
    desks: tuple[DeskId, ...] = ()
    capacity: int = 4
    languages: Mapping[str, int] = field(default_factory=dict)
    hours: Hours | None = None
    lead: bool = False

    def public_name(self, language: str) -> str:
        """The name a customer of this language sees; never the account's."""
        base = language.split("-")[0]
        return (
            self.names.get(language)
            or self.names.get(base)
            or self.names.get("en")
            or next(iter(self.names.values()), "")
        )

    def works_at(self, desk: DeskId) -> bool:
        return not self.desks or desk in self.desks

    def skill(self, language: str) -> int:
        """0: does not speak it."""
        if not self.languages:
            return 3
        return self.languages.get(language) or self.languages.get(language.split("-")[0]) or 0


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole of it. There is always at least one desk that takes anything."""

    desks: Mapping[DeskId, Desk]
    topics: tuple[Topic, ...] = ()
    topic_rules: Mapping[Topic, TopicRules] = field(default_factory=dict)
    head_starts: HeadStarts = HeadStarts()
    rotas: Mapping[str, Rota] = field(default_factory=dict)
    translates: bool = False  # there is a translator
    revise_within: int = 15 * MINUTE
    hold_at_most: int = 7 * 24 * HOUR
    check_for: int = 15 * MINUTE  # how long a customer has to pass the identity check
    check_good_for: int = 30 * MINUTE  # how long a passed one holds
    operators: Mapping[OperatorId, OperatorProfile] = field(default_factory=dict)

    def desk_for(self, language: str, topic: Topic) -> Desk:
        """The most particular desk: language and topic, then language, then topic, then the first one."""
        return max(self.desks.values(), key=lambda desk: fit(desk, language, topic))

    def desk_of(self, desk: DeskId, language: str, topic: Topic) -> Desk:
        """The desk of this name; where the policy has it no more, the one that would take such a session now."""
        return self.desks.get(desk) or self.desk_for(language, topic)

    def topic(self, topic: Topic) -> TopicRules:
        return self.topic_rules.get(topic) or TopicRules(topic)

    def holds_back(self, desk: Desk, topic: Topic) -> bool:
        """Whether files stay with us. One word for it is enough; where nobody says, an identity check does."""
        rules = self.topic(topic)
        said = {desk.attachments, rules.attachments} - {None}
        return Attachments.HELD in said or (not said and rules.identity_check)

    def on_call(self, desk: Desk, at: int) -> OperatorId | None:
        rota = self.rotas.get(desk.rota)
        return rota.on_call(at) if rota else None


def fit(desk: Desk, language: str, topic: Topic) -> tuple[int, int]:
    """How well a desk suits; the higher, the better. One that lacks the language or the topic does not suit at all."""
    speaks = _speaks(desk, language)
    handles = 1 if not desk.topics else 2 if topic in desk.topics else 0
    lacks = min(speaks, handles) == 0
    return (0, 0) if lacks else (min(speaks, handles), speaks * 2 + handles)


def _speaks(desk: Desk, language: str) -> int:
    if not desk.languages:
        return 1
    return 3 if language in desk.languages else 2 if language.split("-")[0] in desk.languages else 0


def no_policy() -> Policy:
    """Of who has written none."""
    return Policy({})
