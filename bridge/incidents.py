"""Incidents: one cause behind many sessions. Declared once, shown on every customer's page, and linked to sessions.

An incident is a record in the store, so every process and the command line see the same one. Its end is a mark beside
it: changing the wording and ending it can never undo one another. Which sessions are about it is what the sessions
themselves say (`Session.incident`); the book kept here names every session that *may* be linked, since a name is
written before the fact is, and costs one reading more when it is not true.

Sessions are linked by hand, or by a *scope*: desks, topics and a span of time. A scope without an end goes on linking
whoever comes. A session that was taken out by hand is not put back: the scope's input has been used up for it.

What is said to all of them, or resolved for all, is a broadcast: see `bridge.broadcasts`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bridge.errors import KakehashiError
from bridge.ports import Store, Stored
from bridge.relay import Answer, Receipt, Relay
from routing.ids import CODE_ALPHABET, DeskId, IncidentId, InputKey, OperatorId, SessionId, Topic
from routing.inputs import IncidentNamed
from routing.policy import Policy
from routing.session import Session, State

AT_ONCE = 32
"""Sessions worked on together: enough to keep the store busy, and few beside what one process may have under way."""

TITLE_LIMIT = 80
"""Characters of a title: it stands in a banner on a phone."""

BANNER_LIMIT = 400
"""Characters of the banner's text."""

LANGUAGE_LIMIT = 20

_RECORDS, _ENDS = "incident", "incident-ended"
_SCHEMA = 1

Words = Mapping[str, str]
T = TypeVar("T")


class IncidentError(KakehashiError):
    """An incident cannot be kept as it is, or is not there. `where` names the field."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which sessions an incident concerns: those of these desks and topics (empty: any) that were opened from `since`
    until `until` (ms since 1970, UTC; None: and whoever comes)."""

    desks: tuple[DeskId, ...] = ()
    topics: tuple[Topic, ...] = ()
    since: int = 0
    until: int | None = None

    def matches(self, session: Session) -> bool:
        late = self.until is not None and session.opened_at > self.until
        return (
            session.state is not State.CLOSED
            and session.opened_at >= self.since
            and not late
            and (not self.desks or session.desk in self.desks)
            and (not self.topics or session.topic in self.topics)
        )


@dataclass(frozen=True, slots=True)
class Incident:
    """What is broken. `titles` and `banners` are what customers read, by language; times are ms since 1970 (UTC).

    `site` empty: of every site.
    """

    id: IncidentId
    titles: Words
    banners: Words
    since: int
    by: OperatorId
    site: str = ""
    ended_at: int | None = None
    ended_by: OperatorId | None = None

    def title(self, language: str) -> str:
        return worded(self.titles, language)[1]

    def banner(self, language: str) -> str:
        """The text below the title; empty where there is none."""
        return worded(self.banners, language)[1]


def worded(words: Words, language: str) -> tuple[str, str]:
    """(language that is used, text) for a reader: theirs, the same in another script, English, any; else ("", "")."""
    base = language.split("-")[0]
    wanted = (language, *(tag for tag in words if tag.split("-")[0] == base), "en", *words)
    used = next((one for one in wanted if words.get(one)), "")
    return used, words.get(used, "")


class Incidents:
    """Reads and writes them. Every call may raise StoreUnavailableError, and may then be repeated as it is."""

    def __init__(self, store: Store, relay: Relay, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._relay = relay
        self._policy = policy
        self._looked: dict[str, set[SessionId]] = {}

    # ------------------------------------------------------------------ reading

    async def current(self, site: str = "") -> tuple[Incident, ...]:
        """What is broken just now on a site (empty: on any), the latest first. Cheap: every page's house asks it."""
        return tuple(one for one in await self.all() if one.ended_at is None and (not site or one.site in ("", site)))

    async def all(self) -> tuple[Incident, ...]:
        """Every incident there ever was, the latest first."""
        records, ends = await asyncio.gather(self._store.shelf(_RECORDS), self._store.shelf(_ENDS))
        found = [_incident(text, ends.get(f"{_ENDS}/{name.partition('/')[2]}")) for name, text in records.items()]
        return tuple(sorted(found, key=lambda one: -one.since))

    async def get(self, incident: IncidentId) -> Incident | None:
        names = f"{_RECORDS}/{incident}", f"{_ENDS}/{incident}"
        record, end = await asyncio.gather(*map(self._store.get, names))
        return _incident(record, end) if record else None

    async def known(self, incident: str) -> Incident:
        """The incident of this id, in either case. Raises IncidentError."""
        found = await self.get(IncidentId(incident.upper()))
        if found is None:
            raise IncidentError(f"there is no incident {incident}", mend="see `kakehashi incident list --all`")
        return found

    async def sessions(self, incident: IncidentId) -> list[Stored]:
        """The sessions that are about it and not closed."""
        names = await self._store.names(_book(incident))
        named = [SessionId(name.removeprefix(_book(incident))) for name in names]
        found = await each(named, self._store.load)
        return [one for one in found if one and one.session.incident == incident and _living(one.session)]

    async def scopes(self, incident: IncidentId) -> dict[str, Scope]:
        """By which it goes on linking, by their names."""
        return {name: _scope(text) for name, text in (await self._store.shelf(f"incident-scope-{incident}")).items()}

    # ------------------------------------------------------------------ writing

    async def declare(
        self, titles: Words, banners: Words, by: OperatorId, *, site: str = "", incident: IncidentId | None = None
    ) -> Incident:
        """A new incident; customers' pages show it within seconds. Raises IncidentError for words that will not do.

        `incident`: the id that was shown with the preview (see `mint`); a repeat with it declares nothing twice.
        """
        check_words(titles, "titles", TITLE_LIMIT)
        check_words(banners, "banners", BANNER_LIMIT, needed=False)
        known = await self.get(incident) if incident else None
        if known is not None and (known.by, known.titles) == (by, dict(titles)):
            return known
        name = incident if incident and known is None else await self.mint()
        made = Incident(name, dict(titles), dict(banners), await self._store.now(), by, site)
        await self._keep(made)
        return made

    async def change(self, incident: IncidentId, titles: Words, banners: Words) -> Incident:
        """Another wording of the banner."""
        check_words(titles, "titles", TITLE_LIMIT)
        check_words(banners, "banners", BANNER_LIMIT, needed=False)
        changed = replace(await self.known(incident), titles=dict(titles), banners=dict(banners))
        await self._keep(changed)
        return changed

    async def end(self, incident: IncidentId, by: OperatorId) -> None:
        """The banner goes, and nobody is linked any more. What was linked stays so, for the record."""
        mark = {"at": await self._store.now(), "by": by}
        await self._store.swap(f"{_ENDS}/{incident}", None, json.dumps(mark))  # the first one who ends it
        for name in await self.scopes(incident):
            await self._store.forget(name)

    async def mint(self) -> IncidentId:
        """An id that people can say: `INC-7KQ`."""
        taken = {one.id for one in await self.all()}
        while True:
            name = IncidentId("INC-" + "".join(secrets.choice(CODE_ALPHABET) for _ in range(3)))
            if name not in taken:
                return name

    # ------------------------------------------------------------------ which sessions

    async def find(self, scope: Scope) -> list[Stored]:
        """The sessions that a scope matches now and that are in no incident yet."""
        found = await each(await self._candidates(scope), self._store.load)
        return [one for one in found if one and scope.matches(one.session) and one.session.incident is None]

    async def link(self, incident: IncidentId, session: SessionId, key: str) -> Answer:
        """By hand: also out of another incident. `key` names this press: a repeat changes nothing."""
        return await self._name(session, incident, InputKey(f"incident/{key}/{session}"))

    async def unlink(self, session: SessionId, key: str) -> Answer:
        """By hand: it is about something else after all."""
        return await self._relay.from_bridge(session, IncidentNamed(None), InputKey(f"incident/{key}/{session}"))

    async def link_by(self, incident: IncidentId, scope: Scope, key: str) -> int:
        """Link what matches now, and go on with who comes when the scope has no end. How many were found now.

        The scope is kept before the first session is linked: whatever interrupts this, `sweep` carries it through.
        """
        name = f"incident-scope-{incident}/{key}"
        await self._store.put(name, _encode_scope(scope))
        return await self._sweep(incident, name, scope)

    async def sweep(self) -> None:
        """Link who matches the scopes of what is broken just now. Called again and again by whoever holds the lease."""
        for incident in await self.current():
            for name, scope in (await self.scopes(incident.id)).items():
                await self._sweep(incident.id, name, scope)

    async def _sweep(self, incident: IncidentId, name: str, scope: Scope) -> int:
        looked = self._looked.setdefault(name, set())
        fresh = [session for session in await self._candidates(scope) if session not in looked]
        matching = await each(fresh, lambda session: self._link_if(incident, session, scope))
        looked.update(fresh)
        if scope.until is not None:
            await self._store.forget(name)
            self._looked.pop(name, None)
        return sum(matching)

    async def _link_if(self, incident: IncidentId, session: SessionId, scope: Scope) -> bool:
        stored = await self._store.load(session)
        if stored is None or not scope.matches(stored.session) or stored.session.incident is not None:
            return False
        # One key for all scopes of the incident: who was taken out by hand is not put back by the next one.
        answer = await self._name(session, incident, InputKey(f"incident/{incident}/{session}"))
        return isinstance(answer, Receipt) and answer.fresh

    async def _name(self, session: SessionId, incident: IncidentId, key: InputKey) -> Answer:
        await self._store.put(_book(incident) + session, "")
        return await self._relay.from_bridge(session, IncidentNamed(incident), key)

    async def _candidates(self, scope: Scope) -> list[SessionId]:
        """By the desks' lists, which may be a moment behind: whoever asks reads the session itself."""
        known = dict.fromkeys((*self._policy().desks, *await self._store.desks()))
        desks = [desk for desk in known if not scope.desks or desk in scope.desks]
        lists = await asyncio.gather(*map(self._store.lines, desks))
        lines = [line for lines in lists for line in lines]
        return [line.session for line in lines if not scope.topics or line.summary.get("topic") in scope.topics]

    # ------------------------------------------------------------------ the records

    async def _keep(self, incident: Incident) -> None:
        record = {
            "schema": _SCHEMA,
            "id": incident.id,
            "titles": dict(incident.titles),
            "banners": dict(incident.banners),
            "since": incident.since,
            "by": incident.by,
            "site": incident.site,
        }
        await self._store.put(f"{_RECORDS}/{incident.id}", json.dumps(record, ensure_ascii=False))


async def each(sessions: Sequence[SessionId], work: Callable[[SessionId], Awaitable[T]]) -> list[T]:
    """The same for every session, so many at once and no more; what one of them raises goes to the caller."""
    done: list[T] = []
    for start in range(0, len(sessions), AT_ONCE):
        done += await asyncio.gather(*map(work, sessions[start : start + AT_ONCE]))
    return done


def check_words(words: Words, where: str, limit: int, *, needed: bool = True) -> None:
    """Raises IncidentError: no words where some are needed, or more than are shown."""
    if needed and not any(text.strip() for text in words.values()):
        raise IncidentError("there are no words", where=where, mend="write it in at least one language")
    for language, text in words.items():
        if len(language) > LANGUAGE_LIMIT or len(text) > limit:
            raise IncidentError(f"at most {limit} characters", where=f"{where}.{language}", mend="make it shorter")


def _living(session: Session) -> bool:
    return session.state is not State.CLOSED


def _book(incident: IncidentId) -> str:
    """Each incident's names have a book of their own: it is read whole, and must not grow with all the others."""
    return f"incident-{incident}/"


def _incident(record: str, end: str | None) -> Incident:
    fields, mark = json.loads(record), json.loads(end) if end else {}
    return Incident(
        id=IncidentId(fields["id"]),
        titles=fields["titles"],
        banners=fields["banners"],
        since=fields["since"],
        by=OperatorId(fields["by"]),
        site=fields["site"],
        ended_at=mark.get("at"),
        ended_by=mark.get("by"),
    )


def _encode_scope(scope: Scope) -> str:
    return json.dumps({"desks": scope.desks, "topics": scope.topics, "since": scope.since, "until": scope.until})


def _scope(text: str) -> Scope:
    fields = json.loads(text)
    return Scope(tuple(fields["desks"]), tuple(fields["topics"]), fields["since"], fields["until"])
