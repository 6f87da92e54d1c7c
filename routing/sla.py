"""Promises: what a desk has promised a session, when each is due, and how much of our time was spent on it.

Three are known (`policy.Promised`). The first response counts from the opening, or from when the desk opened; the
next one from when the customer began to wait; a resolution adds up our turns. Time in which it is the customer's turn
never counts. Time on hold counts where the promise says so; else a hold is an answer with a time in it, and a response
is owed anew from its end. Of two promises of one kind the one for the session's priority holds.
"""

from __future__ import annotations

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
    promise = promise_of(kind, session, desk, policy)
    since = _since(kind, session, promise)
    if promise is None or since is None:
        return None
    left = promise.within - (session.worked if kind is Promised.RESOLUTION else 0)
    return _clock(promise, desk).after(since, max(0, left))


def next_warning(session: Session, desk: Desk, policy: Policy) -> int | None:
    """When the next warning is due."""
    return min(_warnings(session, desk, policy).values(), default=None)


def next_miss(session: Session, desk: Desk, policy: Policy) -> int | None:
    return min(misses(session, desk, policy).values(), default=None)


def misses(session: Session, desk: Desk, policy: Policy) -> dict[Promised, int]:
    """Every promise that is running and has not been said to be missed, with its due time."""
    found = {kind: due(kind, session, desk, policy) for kind in Promised if kind not in session.missed}
    return {kind: at for kind, at in found.items() if at is not None}


def _warnings(session: Session, desk: Desk, policy: Policy) -> dict[Promised, int]:
    found: dict[Promised, int] = {}
    for kind in misses(session, desk, policy):
        at = warning(kind, session, desk, policy)
        if at is not None and kind not in session.warned:
            found[kind] = at
    return found


def warning(kind: Promised, session: Session, desk: Desk, policy: Policy) -> int | None:
    """When the warning before a promise is due."""
    promise = promise_of(kind, session, desk, policy)
    since = _since(kind, session, promise)
    if promise is None or since is None or promise.warn_before <= 0:
        return None
    left = promise.within - promise.warn_before - (session.worked if kind is Promised.RESOLUTION else 0)
    return _clock(promise, desk).after(since, max(0, left))


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


def _since(kind: Promised, session: Session, promise: Promise | None) -> int | None:
    """From when the promise is counted just now; None while it is not."""
    if promise is None or session.opens_at is not None or session.state in (State.RESOLVED, State.CLOSED):
        return None
    if not _counts(session, promise):
        return None
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
