"""Broadcasts: one word to everybody in an incident, or one end for all of them, each in the session's own language.

A broadcast is ordered, which only writes it down, and then carried out, which may be interrupted at any line: whoever
carries it out next goes through all sessions again. Every session gets it under a key that the broadcast and the
session make, so a repeat is a duplicate to the relay, and nobody reads an update twice.

Who carries it out holds the lease `incidents@0`. It is any process that runs, and the command line when there is none.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from bridge.errors import KakehashiError, OverloadedError, StoreUnavailableError
from bridge.incidents import AT_ONCE, IncidentError, Incidents, Words, check_words, worded
from bridge.messages import TEXT_LIMIT, Body, TextPart
from bridge.ports import Lease, Store, Stored
from bridge.relay import Answer, Relay
from routing.decide import Refusal
from routing.ids import IncidentId, InputKey, MessageId, OperatorId
from routing.inputs import OperatorInformed, OperatorResolved, Outcome
from routing.session import Reason, State

LEASE = "incidents@0"

TTL = 10_000
"""ms that the lease is asked for, before each handful of sessions: an interrupted broadcast goes on after so long."""

ROUND = 2.0
"""Seconds between two looks for what is ordered, and for sessions that a scope matches."""

WATCH = 0.3
"""Seconds between two looks at what another process carries out."""

FAILURES = 100
"""Sessions of which the reason is kept, when it could not be done; the count counts all."""

OUTCOMES = (Outcome.SOLVED, Outcome.UNSOLVED)
"""How an incident's sessions may be resolved together."""

BROKEN = "broken"
"""The reason where a session cannot be read at all; the log says more."""

_PAST = (Reason.SESSION_CLOSED, Reason.SESSION_ERASED, Reason.NOT_IN_INCIDENT)
"""Not a failure: the session has ended meanwhile, or was taken out of the incident."""

_DUE = "broadcast-due/"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """`words` by language; empty: nothing is said. `outcome` None: nothing is resolved. `ends`: the incident, too.

    `done` of `total` sessions have been gone through, in the latest run.
    """

    id: str
    incident: IncidentId
    by: OperatorId
    at: int
    words: Words
    outcome: Outcome | None = None
    ends: bool = False
    total: int = 0
    done: int = 0
    failed: int = 0
    failures: tuple[Failure, ...] = ()
    finished_at: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How many sessions are in a language, and which words they would get: `uses` another language's where theirs
    were not given, or none at all."""

    language: str
    sessions: int
    uses: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a broadcast would do now. `open` are those that a resolution would resolve."""

    sessions: int
    open: int
    readings: tuple[Reading, ...] = ()


@dataclass(slots=True)
class _Tally:
    done: int = 0
    failures: list[Failure] = field(default_factory=list)


Told = Callable[[Broadcast], None]


class Broadcasts:
    """`holder` names this process among all that may carry broadcasts out."""

    def __init__(self, store: Store, relay: Relay, incidents: Incidents, holder: str) -> None:
        self._store = store
        self._relay = relay
        self._incidents = incidents
        self._holder = holder
        self._wake = asyncio.Event()
        self._lease: Lease | None = None

    # ------------------------------------------------------------------ before

    async def preview(self, incident: IncidentId, words: Words) -> Preview:
        """Who would read what. Writes nothing. Raises IncidentError for an incident or words that will not do."""
        await self._check(incident, words)
        sessions = await self._incidents.sessions(incident)
        return previewed(
            [one.session.language for one in sessions], words, len([one for one in sessions if _open(one)])
        )

    async def order(
        self,
        name: str,
        incident: IncidentId,
        by: OperatorId,
        words: Words,
        *,
        outcome: Outcome | None = None,
        ends: bool = False,
    ) -> Broadcast:
        """Write it down; from here it will be carried out, whatever happens. `name` is the asker's: a repeat is one.

        Raises IncidentError as `preview` does, and when it would neither say nor resolve anything.
        """
        known = await self.get(incident, name)
        if known is not None:
            await self._store.put(_DUE + name, incident)  # the first attempt may have died between the two writes
            return known
        await self._check(incident, words)
        if not any(words.values()) and outcome is None:
            raise IncidentError("there are no words", where="words", mend="write the update in at least one language")
        kept = {language: text for language, text in words.items() if text.strip()}
        made = Broadcast(name, incident, by, await self._store.now(), kept, outcome, ends)
        await self._keep(made)
        await self._store.put(_DUE + name, incident)
        self._wake.set()
        return made

    async def _check(self, incident: IncidentId, words: Words) -> None:
        await self._incidents.known(incident)
        check_words(words, "words", TEXT_LIMIT, needed=False)

    # ------------------------------------------------------------------ reading

    async def get(self, incident: IncidentId, name: str) -> Broadcast | None:
        text = await self._store.get(_book(incident) + name)
        return _decode(text) if text else None

    async def of(self, incident: IncidentId) -> list[Broadcast]:
        """Everything that was said or resolved in an incident, the latest first."""
        names = await self._store.names(_book(incident))
        found = await asyncio.gather(*map(self._store.get, names))
        return sorted((_decode(text) for text in found if text), key=lambda one: -one.at)

    # ------------------------------------------------------------------ carrying out

    async def run(self) -> None:
        """Carry out what is ordered, and link who comes, until cancelled."""
        while True:
            try:
                await self.step()
            except KakehashiError as error:
                log.warning("broadcasts_put_off", reason=error.what)
            try:
                async with asyncio.timeout(ROUND):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def finish(self, broadcast: Broadcast, told: Told) -> Broadcast:
        """Carry it out here, or watch another process do it; when it is done. For the command line."""
        while broadcast.finished_at is None:
            if not await self.step(told):
                await asyncio.sleep(WATCH)
            known = await self.get(broadcast.incident, broadcast.id)
            if known is not None and known != broadcast:
                told(known)
                broadcast = known
        await self._give_back()
        return broadcast

    async def step(self, told: Told = lambda _: None) -> bool:
        """One round: False when another process has the lease. Raises StoreUnavailableError, OverloadedError."""
        if not await self._mine():
            return False
        await self._incidents.sweep()
        for name in await self._store.names(_DUE):
            incident = await self._store.get(name)
            known = await self.get(IncidentId(incident), name.removeprefix(_DUE)) if incident else None
            if known is not None and not await self._carry_out(known, told):
                return False
            await self._store.forget(name)
        return True

    async def _mine(self) -> bool:
        self._lease = await self._store.hold(LEASE, self._holder, TTL)
        return self._lease is not None

    async def _give_back(self) -> None:
        if self._lease is not None:
            await self._store.release(self._lease, self._holder)

    async def _carry_out(self, broadcast: Broadcast, told: Told) -> bool:
        """Through all of the incident's sessions. False when the lease was lost on the way."""
        if broadcast.finished_at is not None:
            return True
        sessions, tally = await self._incidents.sessions(broadcast.incident), _Tally()
        for start in range(0, len(sessions), AT_ONCE):
            if not await self._mine():
                return False
            some = sessions[start : start + AT_ONCE]
            await asyncio.gather(*(self._bring(broadcast, stored, tally) for stored in some))
            await self._note(broadcast, tally, len(sessions), told)
        if broadcast.ends:
            await self._incidents.end(broadcast.incident, broadcast.by)
        await self._note(broadcast, tally, len(sessions), told, finished=True)
        log.info("broadcast_done", incident=broadcast.incident, broadcast=broadcast.id, sessions=len(sessions))
        return True

    async def _bring(self, broadcast: Broadcast, stored: Stored, tally: _Tally) -> None:
        """To one session: first the words, then the end. What is wrong with this one alone holds up no other."""
        try:
            answers = [await self._say(broadcast, stored), await self._resolve(broadcast, stored)]
            reasons = [str(one.reason) for one in answers if isinstance(one, Refusal) and one.reason not in _PAST]
        except (StoreUnavailableError, OverloadedError):
            raise
        except KakehashiError as error:
            log.warning("broadcast_failed", broadcast=broadcast.id, session=stored.session.id, reason=error.what)
            reasons = [BROKEN]
        tally.done += 1
        tally.failures += [Failure(stored.session.code, reason) for reason in reasons]

    async def _say(self, broadcast: Broadcast, stored: Stored) -> Answer | None:
        _, text = worded(broadcast.words, stored.session.language)
        if not text:
            return None
        said = OperatorInformed(MessageId(f"i:{broadcast.id}"), broadcast.by, broadcast.incident)
        key = InputKey(f"broadcast/{broadcast.id}/{stored.session.id}/said")
        return await self._relay.from_operator(stored.session.id, said, key, body=Body((TextPart(text),)))

    async def _resolve(self, broadcast: Broadcast, stored: Stored) -> Answer | None:
        if broadcast.outcome is None:
            return None
        resolved = OperatorResolved(broadcast.by, broadcast.outcome)
        key = InputKey(f"broadcast/{broadcast.id}/{stored.session.id}/resolved")
        return await self._relay.from_operator(stored.session.id, resolved, key)

    async def _note(
        self, broadcast: Broadcast, tally: _Tally, total: int, told: Told, *, finished: bool = False
    ) -> None:
        """How far it is, for whoever looks."""
        now = replace(
            broadcast,
            total=total,
            done=tally.done,
            failed=len(tally.failures),
            failures=tuple(tally.failures[:FAILURES]),
            finished_at=await self._store.now() if finished else None,
        )
        await self._keep(now)
        told(now)

    async def _keep(self, broadcast: Broadcast) -> None:
        await self._store.put(_book(broadcast.incident) + broadcast.id, _encode(broadcast))


def previewed(languages: Sequence[str], words: Words, still_open: int) -> Preview:
    """The preview for sessions in these languages, the most frequent first."""
    counted = sorted(Counter(languages).items(), key=lambda item: (-item[1], item[0]))
    readings = [Reading(language, count, *worded(words, language)) for language, count in counted]
    return Preview(len(languages), still_open, tuple(readings))


def _open(stored: Stored) -> bool:
    return stored.session.state in (State.QUEUED, State.ASSIGNED)


def _book(incident: IncidentId) -> str:
    return f"broadcast-{incident}/"


def _encode(broadcast: Broadcast) -> str:
    record = {
        "id": broadcast.id,
        "incident": broadcast.incident,
        "by": broadcast.by,
        "at": broadcast.at,
        "words": dict(broadcast.words),
        "outcome": broadcast.outcome,
        "ends": broadcast.ends,
        "total": broadcast.total,
        "done": broadcast.done,
        "failed": broadcast.failed,
        "failures": [[one.code, one.reason] for one in broadcast.failures],
        "finished_at": broadcast.finished_at,
    }
    return json.dumps(record, ensure_ascii=False)


def _decode(text: str) -> Broadcast:
    fields: Mapping[str, Any] = json.loads(text)
    return Broadcast(
        id=fields["id"],
        incident=IncidentId(fields["incident"]),
        by=OperatorId(fields["by"]),
        at=fields["at"],
        words=fields["words"],
        outcome=None if fields["outcome"] is None else Outcome(fields["outcome"]),
        ends=fields["ends"],
        total=fields["total"],
        done=fields["done"],
        failed=fields["failed"],
        failures=tuple(Failure(code, reason) for code, reason in fields["failures"]),
        finished_at=fields["finished_at"],
    )
