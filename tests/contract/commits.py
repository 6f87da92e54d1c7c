"""Commits for the contract: what a relay would ask for, with boring defaults."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from adapters.redis.store import RedisStore
from bridge.messages import About, Body, TextPart
from bridge.ports import Commit, Committed, Entry, Stored, Written
from routing import inputs as i
from routing.decide import Decision, decide
from routing.ids import (
    CustomerKey,
    DeskId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ShortCode,
    Topic,
    partition_of,
    session_id,
)
from routing.policy import Desk, Policy
from routing.view import customer_view

SLACK = NetworkName("slack")
AIKO = OperatorId("aiko")
POLICY = Policy(
    desks={DeskId("en"): Desk(DeskId("en"), SLACK, Place("C1")), DeskId("ja"): Desk(DeskId("ja"), SLACK, Place("C2"))}
)
_NUMBERS = itertools.count()


def customer(name: str = "~one") -> CustomerKey:
    return CustomerKey("main", name)


def opening_commit(
    store: RedisStore,
    who: CustomerKey,
    *,
    key: str = "web/first",
    text: str = "hello",
    terms: Mapping[NetworkName, int] | None = None,
    previous: SessionId | None = None,
) -> Commit:
    session = session_id("main", partition_of(who, store.partitions), f"n{next(_NUMBERS)}")
    opening = i.Opening(session, ShortCode("K7Q2"), who, False, "en", Topic("account"), previous)
    event = i.CustomerWrote(MessageId("c:first"), opening)
    return _commit(None, event, key, now=1_000, text=text, terms=terms, about=About(name="Sato"))


def next_commit(
    before: Stored,
    event: i.Input,
    *,
    key: str,
    text: str = "",
    now: int = 2_000,
    terms: Mapping[NetworkName, int] | None = None,
    fence: tuple[str, int] | None = None,
) -> Commit:
    return _commit(before, event, key, now=now, text=text, terms=terms, fence=fence)


def _commit(
    before: Stored | None,
    event: i.Input,
    key: str,
    *,
    now: int,
    text: str,
    terms: Mapping[NetworkName, int] | None = None,
    fence: tuple[str, int] | None = None,
    about: About | None = None,
) -> Commit:
    verdict = decide(before.session if before else None, event, key=InputKey(key), now=now, policy=POLICY)
    assert isinstance(verdict, Decision), verdict
    head, visible, tag = (before.head, before.visible, before.tag) if before else (0, 0, "")
    entries = []
    for fact in verdict.facts:
        shown = customer_view(fact) is not None
        visible, tag = (visible + 1, f"tag{head}") if shown else (visible, tag)
        entries.append(Entry(head, f"tag{head}", visible if shown else None, fact))
        head += 1
    bodies = (Written(event.message, 0, Body((TextPart(text),))),) if text and hasattr(event, "message") else ()
    return Commit(
        key=InputKey(key),
        before=before,
        after=Stored(verdict.session, head, visible, tag, before.epoch if before else "epoch"),
        entries=tuple(entries),
        bodies=bodies,
        about=about,
        effects=verdict.effects,
        deadline=min(verdict.timers.values(), default=None),
        terms=terms or {},
        fence=fence,
    )


async def committed(store: RedisStore, commit: Commit) -> Stored:
    result = await store.commit(commit)
    assert isinstance(result, Committed), result
    return result.stored


async def opened_session(store: RedisStore, name: str = "~one") -> Stored:
    return await committed(store, opening_commit(store, customer(name)))
