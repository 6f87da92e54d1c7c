"""What a customer's page is told: every server frame, from what the feed shows and from nothing else.

Pure: values in, bytes of JSON out. A fact, an operator's account, a network's thread or a note has no way in here:
operators are named by their public name, and the ids of their messages are made opaque.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from adapters.web.protocol import NAMES, ClientFrame, ProblemError
from bridge.directory import neutral_name
from bridge.feed import Position, Queue, Resumed, Shown
from bridge.marks import as_text
from bridge.messages import Body, FilePart, TextPart
from routing.facts import Side
from routing.ids import CustomerKey, MessageId, OperatorId, SessionId
from routing.session import Session
from routing.view import CustomerMessage, CustomerNotice, CustomerReaction, CustomerTranslation

if TYPE_CHECKING:
    from adapters.web.house import House

PublicName = Callable[[OperatorId, str], str]
"""(operator, language) → the name that a customer of this language sees."""

FileLink = Callable[[FilePart, str], str]
"""(file, reader) → an expiring address for this reader."""

PAGE_EVENTS = 100
"""Events in one frame of a resume: some hundred KiB at most, so that a slow line is noticed between two of them."""

_OWN = "c:"  # the prefix of customers' message ids
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def dump(frame: Mapping[str, Any]) -> bytes:
    """A frame as it goes on the wire. Words cannot hold lone surrogates, a network's odd name might."""
    return _ENCODE(frame).encode("utf-8", "replace")


def own_id(client_id: str) -> MessageId:
    """The message id of a customer's message, from the id that their page made."""
    return MessageId(_OWN + client_id)


def own_client_id(message: str) -> str:
    """The page's own id of a customer's message."""
    return message.removeprefix(_OWN)


def is_own(message: str) -> bool:
    """Whether it is a customer's message."""
    return message.startswith(_OWN)


@lru_cache(maxsize=4_096)
def opaque_id(session: SessionId, message: MessageId) -> str:
    """What the customer's page calls an operator's message: its real id tells where operators work."""
    digest = hashlib.blake2b(f"{session}\0{message}".encode(), digest_size=12).digest()
    return urlsafe_b64encode(digest).decode()


@lru_cache(maxsize=1_024)
def initials(name: str) -> str:
    """One letter for a name in Han or kana, else the first letters of its first and last words."""
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return ""
    if not words[0][0].isascii() and not words[0][0].isupper():
        return words[0][0]
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a frame is for. `owner` is the name under which the customer's files and links stand."""

    owner: str
    language: str


def owner_of(customer: CustomerKey) -> str:
    """The owner of a customer's files."""
    return f"customer:{customer}"


class Renderer:
    """Holds what cannot be known from an event: public names, links to files, and what the house knows."""

    def __init__(self, public_name: PublicName, link: FileLink, house: House) -> None:
        self._public_name = public_name
        self._link = link
        self._house = house

    # ------------------------------------------------------------------ the session

    def session(self, session: Session, language: str) -> dict[str, Any]:
        return {
            "code": session.code,
            "opened": session.opened_at,
            **self.after(session, language),
        }

    def after(self, session: Session, language: str) -> dict[str, Any]:
        """What the session is like now, as far as the customer may know."""
        return {
            "state": session.state.value,
            "topic": session.topic,
            "language": session.language,
            "opens": session.opens_at,
            "agent": self._agent(session.assignee, language),
            "turn": {"of": session.turn.of.value, "until": session.turn.until},
        }

    def _agent(self, operator: OperatorId | None, language: str) -> dict[str, str] | None:
        if operator is None:
            return None
        name = self._public_name(operator, language)
        return {"name": name, "initials": initials(name)}

    def opening(self, session: Session, language: str) -> bytes:
        """The frame `session`: a new one has opened."""
        return dump({"t": "session", "session": self.session(session, language)})

    # ------------------------------------------------------------------ events

    def event(self, session: Session, shown: Shown, reader: Reader) -> dict[str, Any]:
        """One event, without its `t`."""
        common = {"session": session.code, "pos": position(shown.position), "at": shown.event.at}
        if isinstance(shown.event, CustomerMessage):
            return {**common, "kind": "message", **self._message(session, shown.event, shown.body, reader)}
        if isinstance(shown.event, CustomerTranslation):
            return {**common, "kind": "translation", **self._translation(session, shown.event, shown.body, reader)}
        if isinstance(shown.event, CustomerReaction):
            return {**common, "kind": "reaction", **_reaction(session, shown.event)}
        return {**common, "kind": "notice", **self._notice(shown.event, reader)}

    def _message(self, session: Session, event: CustomerMessage, body: Body | None, reader: Reader) -> dict[str, Any]:
        own = event.side is Side.CUSTOMER
        agent = None if own else self._agent(event.operator, reader.language)
        gone = event.withdrawn or body is None
        return {
            "id": own_client_id(event.message) if own else opaque_id(session.id, event.message),
            "rev": event.revision,
            "from": "you" if own else "operator",
            "name": agent["name"] if agent else None,
            "initials": agent["initials"] if agent else None,
            "parts": None if gone or body is None else [self._part(part, reader) for part in body.parts],
            "withdrawn": event.withdrawn,
            "edited": event.edited,
            **({"anew": True} if event.requoted else {}),
        }

    def _part(self, part: TextPart | FilePart, reader: Reader) -> dict[str, Any]:
        if isinstance(part, TextPart):
            return as_text(part)
        if part.purged:
            gone = {"file": "", "name": "", "media": part.media_type, "size": 0, "width": 0, "height": 0, "url": None}
            return {"type": "file", **gone, "removed": True}
        return {
            "type": "file",
            "file": part.file,
            "name": part.name,
            "media": part.media_type,
            "size": part.size,
            "width": part.width,
            "height": part.height,
            "url": self._link(part, reader.owner),
        }

    def links(self, body: Body | None, reader: str) -> dict[str, str]:
        """Where this reader finds the files of a message, by their ids."""
        files = (
            part for part in (body.parts if body is not None else ()) if isinstance(part, FilePart) and not part.purged
        )
        return {file.file: self._link(file, reader) for file in files}

    def _translation(
        self, session: Session, event: CustomerTranslation, body: Body | None, reader: Reader
    ) -> dict[str, Any]:
        return {
            "id": opaque_id(session.id, event.message),
            "rev": event.revision,
            "language": event.language,
            "parts": None if body is None else [self._part(part, reader) for part in body.parts],
        }

    def _notice(self, event: CustomerNotice, reader: Reader) -> dict[str, Any]:
        key, house = event.key, self._house
        return {
            "key": key,
            "name": self._name(event, reader.language) if key in _NAMED else None,
            "until": event.until,
            "desk": house.desk_title(event.desk, reader.language) if key in _MOVED else None,
            "language": event.language,
            "incident": house.incident_title(event.incident, reader.language),
            "contact": house.contact(event.desk) if key in _ELSEWHERE else None,
            "url": house.check_url(event.nonce),
        }

    def _name(self, event: CustomerNotice, language: str) -> str | None:
        """None where the notice itself says "support", and who has no public name would be called that twice."""
        agent = self._agent(event.operator, language)
        doubled = agent is not None and event.key in _ALONE and agent["name"] == neutral_name(language)
        return agent["name"] if agent and not doubled else None

    # ------------------------------------------------------------------ a resume

    def pages(self, session: Session, resumed: Resumed, reader: Reader) -> list[list[dict[str, Any]]]:
        """The events of a resume, in pages; at least one, which may be empty."""
        shown = as_it_stands_now(resumed.shown)
        events = [self.event(session, one, reader) for one in shown]
        return [events[start : start + PAGE_EVENTS] for start in range(0, len(events), PAGE_EVENTS)] or [[]]

    # ------------------------------------------------------------------ signals

    def typing(self, operator: OperatorId, language: str) -> bytes:
        return dump({"t": "typing", **(self._agent(operator, language) or {})})


def _reaction(session: Session, event: CustomerReaction) -> dict[str, Any]:
    return {"id": opaque_id(session.id, event.message), "reaction": event.reaction, "on": event.on}


_NAMED = frozenset({"joined", "left", "held"})
"""Notices that name the operator. Who resolves or closes the books is not the customer's business."""

_ALONE = frozenset({"joined", "left"})
"""Those of them that are whole without a name."""

_MOVED = frozenset({"moved", "moved_language", "overflowed"})
"""Notices that say where the session is now."""

_ELSEWHERE = frozenset({"outside_hours", "contact_offered"})
"""Notices that offer another way to reach the desk."""


def as_it_stands_now(shown: Sequence[Shown]) -> tuple[Shown, ...]:
    """A history must not repeat words that were changed or taken back since: a message is told with its last body, and
    translations of former ones are told without."""
    last = dict[MessageId, tuple[CustomerMessage, Body | None]]()
    for one in shown:
        if isinstance(event := one.event, CustomerMessage):
            edited = event.edited or (event.message in last and last[event.message][0].edited)
            last[event.message] = replace(event, edited=edited), one.body
    return tuple(_brought_up_to_date(one, last) for one in shown)


def _brought_up_to_date(shown: Shown, last: Mapping[MessageId, tuple[CustomerMessage, Body | None]]) -> Shown:
    event = shown.event
    if isinstance(event, CustomerNotice | CustomerReaction):
        return shown
    latest, body = last.get(event.message, (None, None))
    if isinstance(event, CustomerTranslation):
        stale = latest is not None and (latest.withdrawn or latest.revision != event.revision)
        return replace(shown, body=None) if stale else shown
    if latest is None:
        raise AssertionError("`last` names every message that is among the events")
    now = replace(event, revision=latest.revision, withdrawn=latest.withdrawn, edited=latest.edited)
    return Shown(shown.position, now, body)


class Batch:
    """The events of one commit, on their way to a customer's pages: rendered once per language, not per page."""

    __slots__ = ("_events", "_opening", "_owner", "_renderer", "events", "session")

    def __init__(self, renderer: Renderer, owner: str, session: Session, events: Sequence[Shown]) -> None:
        self.session = session
        self.events = events
        self._renderer = renderer
        self._owner = owner
        self._events: dict[tuple[int, str], bytes] = {}
        self._opening: dict[str, bytes] = {}

    def event(self, number: int, language: str) -> bytes:
        frame = self._events.get((number, language))
        if frame is None:
            event = self._renderer.event(self.session, self.events[number], Reader(self._owner, language))
            frame = dump({"t": "event", **event, "after": self._after(number, language)})
            self._events[number, language] = frame
        return frame

    def ack(self, number: int, client_id: str, language: str) -> bytes:
        """The event's place on the connection that sent the message, which has its words; and links to its files."""
        shown = self.events[number]
        place, files = position(shown.position), self._renderer.links(shown.body, self._owner)
        return ack(client_id, self.session.code, place, shown.event.at, self._after(number, language), files)

    def opening(self, language: str) -> bytes:
        frame = self._opening.get(language)
        if frame is None:
            frame = self._opening[language] = self._renderer.opening(self.session, language)
        return frame

    def _after(self, number: int, language: str) -> dict[str, Any] | None:
        last = number == len(self.events) - 1
        return self._renderer.after(self.session, language) if last else None


# ---------------------------------------------------------------------------------------------- small frames


def position(place: Position) -> dict[str, Any]:
    return {"e": place.epoch, "o": place.offset, "t": place.tag}


def ack(
    client_id: str,
    code: str | None,
    place: dict[str, Any] | None = None,
    at: int | None = None,
    after: dict[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
) -> bytes:
    """It is stored. What had been stored before has neither place nor time nor links: its event told them."""
    return dump(
        {"t": "ack", "id": client_id, "session": code, "pos": place, "at": at, "after": after, "files": files or None}
    )


def refused(problem: ProblemError, frame: ClientFrame | None = None) -> bytes:
    """Nothing was stored. `frame` is the one that was refused, where it could be read."""
    return dump(
        {
            "t": "refused",
            "of": NAMES[type(frame)] if frame is not None else problem.of or None,
            "id": getattr(frame, "id", None) if frame is not None else problem.id or None,
            "code": problem.code,
            "field": problem.field or None,
            "retry": problem.retry,
            "after": problem.after,
            "what": problem.what,
        }
    )


def reached(message: MessageId) -> bytes:
    return dump({"t": "reached", "message": own_client_id(message)})


def place(queue: Queue) -> dict[str, Any]:
    """Where somebody stands in the line; minutes."""
    return {"position": queue.position, "low": queue.low, "high": queue.high, "risen": queue.risen}


def queue(code: str, queue: Queue | None) -> bytes:
    """The customer's place is another now; None when they stand in no line any more."""
    return dump({"t": "queue", "session": code, "queue": None if queue is None else place(queue)})


def beat(offset: int) -> bytes:
    return b'{"t":"beat","o":%d}' % offset


def pong(number: int) -> bytes:
    return b'{"t":"pong","n":%d}' % number


def bye(code: str, what: str, retry_after: float | None = None) -> bytes:
    return dump({"t": "bye", "code": code, "retry_after": retry_after, "what": what})
