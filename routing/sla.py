"""Promises: what a desk has promised a session, when each is due, and how much of our time was spent on it.

Three are known (`policy.Promised`). The first response counts from the opening, or from when the desk opened; the
next one from when the customer began to wait; a resolution adds up our turns. Time in which it is the customer's turn
never counts. Time on hold counts where the promise says so; else a hold is an answer with a time in it, and a response
is owed anew from its end. Of two promises of one kind the one for the session's priority holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from routing.hours import ALWAYS, Hours
from routing.policy import Clock, Desk, Policy, Promise, Promised
from routing.session import Session, State, TurnOf


def promise_of(kind: Promised, session: Session, desk: Desk, policy: Policy) -> Promise | None:
    """The one that holds for the session; None when the desk promises nothing of the kind."""
    priority = policy.topic(session.topic).effective_priority
    of_kind = [one for one in desk.promises if one.kind is kind and one.priority in (None, priority)]
    return max(of_kind, key=lambda one: one.priority is not None, default=None)


def due(kind: Promised, session: Session, desk: Desk, policy: Policy) -> int | None:
    """When it is missed (ms since 1970, UTC) if nothing happens before; None while nothing counts towards it."""
    running = _running(session, desk, policy).get(kind)
    return running.due(session, desk) if running else None


def next_warning(session: Session, desk: Desk, policy: Policy) -> int | None:
    """When the next warning is due."""
    return min(_warnings(session, desk, policy).values(), default=None)


def next_miss(session: Session, desk: Desk, policy: Policy) -> int | None:
    return min(misses(session, desk, policy).values(), default=None)


def misses(session: Session, desk: Desk, policy: Policy) -> dict[Promised, int]:
    """Every promise that is running and has not been said to be missed, with its due time."""
    found = {
        kind: one.due(session, desk)
        for kind, one in _running(session, desk, policy).items()
        if kind not in session.missed
    }
    return {kind: at for kind, at in found.items() if at is not None}


def _warnings(session: Session, desk: Desk, policy: Policy) -> dict[Promised, int]:
    said = (*session.missed, *session.warned)
    found = {
        kind: one.warning(session, desk) for kind, one in _running(session, desk, policy).items() if kind not in said
    }
    return {kind: at for kind, at in found.items() if at is not None}


def warning(kind: Promised, session: Session, desk: Desk, policy: Policy) -> int | None:
    """When the warning before a promise is due."""
    running = _running(session, desk, policy).get(kind)
    return running.warning(session, desk) if running else None


def warnings_fallen(session: Session, desk: Desk, policy: Policy, now: int) -> list[Promised]:
    """What to warn of now. Who slept past the promise itself says that it is missed, and not that it soon will be."""
    missed = misses_fallen(session, desk, policy, now)
    return [kind for kind, at in _warnings(session, desk, policy).items() if at <= now and kind not in missed]


def misses_fallen(session: Session, desk: Desk, policy: Policy, now: int) -> list[Promised]:
    return [kind for kind, at in misses(session, desk, policy).items() if at <= now]


def worked(session: Session, desk: Desk, policy: Policy, now: int) -> int:
    """What the turn that ends now adds to the resolution's account."""
    promise = promise_of(Promised.RESOLUTION, session, desk, policy)
    if promise is None or session.opens_at is not None or not _counts(session, promise):
        return 0
    return _clock(promise, desk).between(max(session.turn.since, session.started_at), now)


@dataclass(frozen=True, slots=True)
class _Running:
    """A promise that counts just now, `since` when."""

    kind: Promised
    promise: Promise
    since: int

    def due(self, session: Session, desk: Desk) -> int | None:
        return self._after(self.promise.within, session, desk)

    def warning(self, session: Session, desk: Desk) -> int | None:
        before = self.promise.warn_before
        return self._after(self.promise.within - before, session, desk) if before > 0 else None

    def _after(self, time: int, session: Session, desk: Desk) -> int | None:
        """None where the desk never opens again."""
        spent = session.worked if self.kind is Promised.RESOLUTION else 0
        return _clock(self.promise, desk).after(self.since, max(0, time - spent))


def _running(session: Session, desk: Desk, policy: Policy) -> dict[Promised, _Running]:
    """What counts just now. Asked at every commit, so a desk that promises nothing costs nothing."""
    if not desk.promises or session.opens_at is not None or session.state in (State.RESOLVED, State.CLOSED):
        return {}
    found: dict[Promised, _Running] = {}
    for kind in Promised:
        promise = promise_of(kind, session, desk, policy)
        since = _since(kind, session, promise) if promise and _counts(session, promise) else None
        if promise is not None and since is not None:
            found[kind] = _Running(kind, promise, since)
    return found


def _since(kind: Promised, session: Session, promise: Promise) -> int | None:
    """From when a promise that counts is counted just now; None when it is not this one that is owed."""
    if kind is Promised.RESOLUTION:
        return max(session.turn.since, session.started_at)
    first = session.first_response_at is None
    if session.waiting_since is None or first is not (kind is Promised.FIRST_RESPONSE):
        return None
    return max(session.started_at, session.waiting_since if promise.held_counts else session.turn.since)


def _counts(session: Session, promise: Promise) -> bool:
    return session.turn.of is TurnOf.OURS or (session.turn.of is TurnOf.HELD and promise.held_counts)


def _clock(promise: Promise, desk: Desk) -> Hours:
    return desk.hours if promise.clock is Clock.BUSINESS else ALWAYS
