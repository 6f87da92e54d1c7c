"""What a session's card says and offers, whichever network draws it. Pure: from the session and what is known of it.

An operator scans the first line: code, name, language, topic. The customer's words are never here; they are in the
thread. Values are raw: how a time, a person or a link looks, and what must be escaped, the network knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.messages import About
from bridge.ports import Store
from bridge.templates import GAP
from routing.attention import DeliveryState, delivery
from routing.ids import OperatorId, ShortCode, Topic
from routing.inputs import FOR_GOOD, Outcome
from routing.session import CheckState, Presence, Session, State, TurnOf

BUTTONS = 5
"""At most, so that the eye finds the likeliest. The rest stands in the menu."""

ACCOUNT_ID = "account_id"
"""In the link to the site's own admin: the customer's id there. Other names are those of claims."""


class Wording(Protocol):
    """A sentence of the `thread` face, in a language, with its words filled in."""

    def __call__(self, language: str, key: str, /, **words: str) -> str: ...


class Title(Protocol):
    """What a topic is called in a language."""

    def __call__(self, topic: Topic, language: str, /) -> str: ...


class Action(StrEnum):
    """What an operator can do with a session from its card."""

    ACKNOWLEDGE = "acknowledge"
    CLAIM = "claim"
    REOPEN = "reopen"
    TEMPLATES = "templates"
    NOTE = "note"
    HOLD = "hold"
    RESOLVE = "resolve"
    TRANSFER = "transfer"
    DECLINE = "decline"
    PUT_BACK = "put_back"
    ESCALATE = "escalate"
    CHECK = "check"
    HISTORY = "history"
    BLOCK = "block"
    UNBLOCK = "unblock"


@dataclass(frozen=True, slots=True)
class Words:
    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, to be shown in each reader's own zone."""

    at: int


@dataclass(frozen=True, slots=True)
class Person:
    operator: OperatorId


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    text: str


Value = Words | Moment | Person | Link


@dataclass(frozen=True, slots=True)
class Past:
    """The customer's earlier sessions: how many, and the last one."""

    count: int
    code: ShortCode
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """`summary` is what a telephone shows, the deciding words first. `buttons` and `menu` are in the order of what is
    likeliest; the first button is the one to press, if any is `primary`."""

    code: ShortCode
    name: str
    language: str
    topic: str
    summary: tuple[str, ...]
    fields: tuple[tuple[str, Value], ...]
    background: tuple[Words | Link, ...]
    buttons: tuple[Action, ...] = ()
    menu: tuple[Action, ...] = ()
    primary: bool = True

    @property
    def headline(self) -> str:
        return " · ".join((self.code, self.name, self.language, self.topic))


async def past(store: Store, session: Session) -> Past | None:
    """The customer's earlier sessions. Raises StoreUnavailableError."""
    if session.previous is None:
        return None
    named = await store.sessions_of(session.customer)
    last = await store.load(session.previous)
    if last is None:
        return None
    return Past(max(1, sum(one != session.id for one in named)), last.session.code, last.session.outcome)


def reach(session: Session) -> str:
    """How far our last reply has come, as the wording's key; empty where there was none. Of one that is stuck it is
    said whether the customer may be back any moment."""
    state = delivery(session)
    if state is DeliveryState.NONE:
        return ""
    if state is DeliveryState.UNREACHED:
        return "gone" if session.presence is Presence.GONE else "away"
    return state.value


def card(
    session: Session,
    about: About,
    *,
    now: int,
    wording: Wording,
    title: Title,
    earlier: Past | None = None,
    admin_link: str = "",
    here: bool = True,
    check_demanded: bool = False,
) -> Card:
    """`here`: the session still lives where this card is; elsewhere it has nothing to press."""
    language = session.language
    topic, state = title(session.topic, language), wording(language, f"state.{session.state}")
    named = wording(language, "customer.named", name=about.name) if about.name.strip() else ""
    name = named or wording(language, "customer.unnamed")
    buttons, menu = offered(session, check_demanded=check_demanded) if here else ((), ())
    return Card(
        session.code,
        name,
        language,
        topic,
        (session.code, language, topic, state, about.name or name),
        tuple(_fields(session, about, state, wording)),
        tuple(_background(session, about, now, wording, earlier, admin_link)),
        buttons,
        menu,
        primary=session.state in (State.QUEUED, State.ASSIGNED),
    )


# ------------------------------------------------------------------ what it says


def _fields(session: Session, about: About, state: str, wording: Wording) -> list[tuple[str, Value]]:
    language = session.language

    def label(name: str) -> str:
        return wording(language, f"card.{name}")

    fields: list[tuple[str, Value]] = [(label("state"), Words(state))]
    if session.waiting_since is not None:
        fields.append((label("waiting"), Moment(session.waiting_since)))
    if session.turn.until is not None:
        fields.append((label("promised"), Moment(session.turn.until)))
    elif session.state in (State.QUEUED, State.ASSIGNED):
        fields.append((label("turn"), Words(wording(language, f"turn.{session.turn.of}"))))
    owner: Value = Person(session.assignee) if session.assignee else Words(label("nobody"))
    fields.append((label("assignee"), owner))
    delivered = reach(session)
    if delivered and session.state is not State.CLOSED:
        fields.append((label("delivery"), Words(wording(language, f"delivery.{delivered}"))))
    fields += [(label(name), Words(value)) for name, value in _special(session, wording)]
    return fields + [(name, Words(value)) for name, value in about.claims.items() if name != "name" and value]


def _special(session: Session, wording: Wording) -> list[tuple[str, str]]:
    """What most sessions do not have: a ladder under way, an identity check, an incident, tags, a block."""
    language, found = session.language, []
    if session.escalation is not None:
        found.append(("escalation", wording(language, f"escalation.{session.escalation.why}")))
    if session.check is not None:
        found.append(("check", wording(language, f"check.{session.check.state}")))
    if session.incident is not None:
        found.append(("incident", str(session.incident)))
    if session.tags:
        found.append(("tags", ", ".join(session.tags)))
    if session.blocked_until is not None:
        found.append(("blocked", _until(session.blocked_until, language, wording)))
    return found


def _until(at: int, language: str, wording: Wording) -> str:
    if at == FOR_GOOD:
        return wording(language, "block.for_good")
    return wording(language, "block.until", time=f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC")


def _background(
    session: Session, about: About, now: int, wording: Wording, earlier: Past | None, admin_link: str
) -> list[Words | Link]:
    language = session.language
    lines = [wording(language, "card.verified" if session.verified else "card.unverified"), about.page]
    if local := local_time(about.time_zone, now):
        lines.append(wording(language, "card.local", time=local, zone=about.time_zone))
    if earlier is not None:
        ended = wording(language, f"outcome.{earlier.outcome}") if earlier.outcome else ""
        known = wording(language, "card.past", count=str(earlier.count), code=earlier.code)
        lines.append(f"{known} ({ended})" if ended else known)
    found: list[Words | Link] = [Words(line) for line in lines if line.strip()]
    if url := link_to_admin(admin_link, session, about):
        found.append(Link(url, wording(language, "card.admin")))
    return found


def local_time(zone: str, now: int) -> str:
    """The customer's time of day; empty where their zone is none that we know. `now` in ms since 1970, UTC."""
    try:
        there = datetime.fromtimestamp(now / 1000, ZoneInfo(zone)) if zone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
    return f"{there:%H:%M}" if there else ""


def link_to_admin(template: str, session: Session, about: About) -> str:
    """The customer's page in the site's own admin. Only of who the site vouches for, and only when nothing is missing:
    half an address leads to somebody else. Values are percent-encoded, so none can change where it leads."""
    if not template or not session.verified or session.customer.anonymous:
        return ""
    known: Mapping[str, str] = {**about.claims, ACCOUNT_ID: session.customer.account}
    if any(not known.get(name) for name in GAP.findall(template)):
        return ""
    return GAP.sub(lambda gap: quote(known[gap[1]], safe=""), template)


# ------------------------------------------------------------------ what it offers


def offered(session: Session, *, check_demanded: bool = False) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """What can be done now: the buttons, then the menu; each the likeliest first."""
    likely = _likely(session)
    others = [action for action in _possible(session, check_demanded) if action not in likely]
    return tuple(likely[:BUTTONS]), (*likely[BUTTONS:], *others)


def _likely(session: Session) -> list[Action]:
    ladder = session.escalation
    called = [Action.ACKNOWLEDGE] if ladder is not None and ladder.acknowledged_by is None else []
    if session.state is State.QUEUED:
        return [*called, Action.CLAIM, Action.TEMPLATES, Action.NOTE, Action.RESOLVE, Action.HOLD]
    if session.state is State.ASSIGNED:
        ours = session.turn.of is not TurnOf.CUSTOMERS
        first = [Action.TEMPLATES, Action.NOTE, Action.HOLD, Action.RESOLVE]
        return [*called, *(first if ours else [Action.RESOLVE, Action.TEMPLATES, Action.NOTE, Action.HOLD])]
    if session.state is State.RESOLVED:
        return [Action.REOPEN, Action.TEMPLATES, Action.NOTE]
    return [Action.NOTE]


def _possible(session: Session, check_demanded: bool) -> list[Action]:
    """The rest of what the rules would not refuse."""
    if session.state is State.CLOSED:
        return [Action.HISTORY, Action.UNBLOCK if session.blocked_until is not None else Action.BLOCK]
    found = [Action.TRANSFER]
    if session.offer is not None:
        found.append(Action.DECLINE)
    if session.state is State.ASSIGNED:
        found.append(Action.PUT_BACK)
    if session.escalation is None:
        found.append(Action.ESCALATE)
    passed = session.check is not None and session.check.state in (CheckState.PASSED, CheckState.REQUESTED)
    if (check_demanded or session.check is not None) and not passed:
        found.append(Action.CHECK)
    return [*found, Action.HISTORY, Action.BLOCK]
