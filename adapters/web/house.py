"""The house: what every page is told besides its own conversation. Who is open when, how long an answer usually takes,
what is broken just now, the ways around us, and where an identity is checked.

Nothing here is about one customer. It comes with the welcome; what changes afterwards (a desk opens, an incident
begins) goes to all pages as the frame `house`, rendered once for each language.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from adapters.web.languages import title_in
from adapters.web.render import dump
from bridge.incidents import Incident
from config.settings import WebSettings
from routing.hours import ALWAYS, Hours, opens_together
from routing.ids import DeskId, IncidentId, Topic
from routing.policy import Policy

Incidents = Callable[[], Awaitable[Sequence[Incident]]]
"""What is broken just now, asked of the store every few seconds."""

Waits = Callable[[DeskId], tuple[int, int] | None]
"""How many minutes a desk usually takes to answer (from, to); None: we cannot tell."""


async def no_incidents() -> Sequence[Incident]:
    return ()


def no_estimate(desk: DeskId) -> tuple[int, int] | None:
    del desk
    return None


@dataclass(frozen=True, slots=True)
class Door:
    """Whether a topic, or a desk, is open, and when that changes next (ms since 1970, UTC; None: not that we know)."""

    open: bool
    changes: int | None

    @property
    def opens(self) -> int | None:
        return None if self.open else self.changes


class House:
    """`now` gives ms since 1970 (UTC). `titles` are the desks' names by language; `incidents` and `waits` are others'
    knowledge, asked for."""

    def __init__(
        self,
        settings: WebSettings,
        policy: Callable[[], Policy],
        now: Callable[[], int],
        *,
        titles: Mapping[DeskId, Mapping[str, str]] | None = None,
        incidents: Incidents = no_incidents,
        waits: Waits = no_estimate,
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._now = now
        self._titles = {} if titles is None else titles
        self._ask_incidents = incidents
        self._waits = waits
        self._incidents: tuple[Incident, ...] = ()
        self._shown: tuple[object, ...] | None = None
        self._frames: dict[str, bytes] = {}

    # ------------------------------------------------------------------ what changes

    async def look(self) -> None:
        """Ask what is broken just now. Raises StoreUnavailableError; then what was known stays."""
        self._incidents = tuple(await self._ask_incidents())

    def changed(self) -> bool:
        """Whether pages have been told something else, since this was asked before."""
        shown = (*self._hours(), *self._incidents)
        if shown == self._shown:
            return False
        first, self._shown = self._shown is None, shown
        self._frames.clear()
        return not first

    def _hours(self) -> tuple[object, ...]:
        """Whose doors are open now, and when each one moves: the same until one does, or the policy is another."""
        policy, now = self._policy(), self._now()
        desks = (hours_at(desk.hours, ALWAYS, now) for desk in policy.desks.values())
        topics = (hours_at(rules.hours, ALWAYS, now) for rules in policy.topic_rules.values())
        return (*desks, *topics)

    def news(self, language: str) -> dict[str, Any]:
        """What the welcome says in a language, and the frame `house` when it is another."""
        return {
            "service": self._service(language),
            "incidents": [self._incident(one, language) for one in self._incidents],
        }

    def frame(self, language: str) -> bytes:
        """The frame `house`, made once for all pages of a language."""
        frame = self._frames.get(language)
        if frame is None:
            frame = self._frames[language] = dump({"t": "house", **self.news(language)})
        return frame

    # ------------------------------------------------------------------ who is open when

    def _service(self, language: str) -> dict[str, Any]:
        policy = self._policy()
        doors = {topic: self._door(policy, language, topic) for topic in policy.topics}
        usual = [door for topic, door in doors.items() if not policy.topic(topic).emergency]
        ways = usual or [self._door(policy, language, Topic(""))]
        is_open = any(door.open for door in ways)
        opens = min((door.opens for door in ways if door.opens is not None), default=None)
        return {
            "open": is_open,
            "opens": None if is_open else opens,
            "wait": self._wait(policy, language) if is_open else None,
            "topics": {
                topic: {"open": door.open, "opens": door.opens, "emergency": policy.topic(topic).emergency}
                for topic, door in doors.items()
            },
        }

    @property
    def revise_within(self) -> int:
        """ms for which a customer may change or withdraw a message."""
        return self._policy().revise_within

    def _door(self, policy: Policy, language: str, topic: Topic) -> Door:
        """An emergency is taken at any hour: its ladder starts at once."""
        rules = policy.topic(topic)
        if rules.emergency:
            return Door(True, None)
        return hours_at(policy.desk_for(language, topic).hours, rules.hours, self._now())

    def _wait(self, policy: Policy, language: str) -> dict[str, int] | None:
        known = self._waits(policy.desk_for(language, Topic("")).id)
        return None if known is None else {"low": known[0], "high": known[1]}

    # ------------------------------------------------------------------ what notices speak of

    def desk_title(self, desk: DeskId | None, language: str) -> str | None:
        """What a desk is called; None for one without a name in the policy."""
        titles = self._titles.get(desk) if desk is not None else None
        return title_in(titles, language) if titles else None

    def incident_title(self, incident: IncidentId | None, language: str) -> str | None:
        """None when it is over, or not known here yet."""
        known = next((one for one in self._incidents if one.id == incident), None)
        return known.title(language) or None if known is not None else None

    def check_url(self, nonce: str | None) -> str | None:
        """The site's own page for the identity check, with our nonce; None where there is none."""
        url = self._settings.identity.url
        if url is None or nonce is None:
            return None
        return f"{url}{'&' if '?' in url else '?'}nonce={quote(nonce, safe='')}"

    def contact(self, desk: DeskId | None) -> dict[str, Any] | None:
        """How else a desk is reached; the house's own mail and telephone where it names none."""
        known = self._policy().desks.get(desk) if desk is not None else None
        contact, ours = (known.contact if known else None), self._settings.contact
        mail = (contact.mail if contact else "") or ours.mail or ""
        phone = (contact.phone if contact else "") or ours.phone or ""
        times = contact.hours if contact is not None and contact.phone else ALWAYS
        door = hours_at(times, ALWAYS, self._now())
        words = ours.phone_hours if phone == ours.phone and times == ALWAYS else None  # the site's, as people say them
        hours: dict[str, Any] = {"open": door.open, "changes": door.changes, "text": words}
        if not mail and not phone:
            return None
        return {"mail": mail or None, "phone": phone or None, "hours": hours if phone else None}

    def _incident(self, incident: Incident, language: str) -> dict[str, Any]:
        title, text = incident.title(language), incident.banner(language)
        return {"id": incident.id, "title": title, "text": text or None, "since": incident.since}


def hours_at(one: Hours, other: Hours, now: int) -> Door:
    """Two calendars that must both be open."""
    if one.open_at(now) and other.open_at(now):
        ends = [end for end in (one.closes_after(now), other.closes_after(now)) if end is not None]
        return Door(True, min(ends, default=None))
    return Door(False, opens_together(one, other, now))
