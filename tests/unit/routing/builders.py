"""Boring defaults, so that a test shows only what matters to it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

from routing import inputs as i
from routing.decide import Decision, Nothing, Refusal, Verdict, decide
from routing.effects import Effect
from routing.facts import Fact
from routing.fold import fold
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
)
from routing.policy import (
    HOUR,
    MINUTE,
    Clock,
    Contact,
    Desk,
    Ladder,
    OperatorProfile,
    Policy,
    Promise,
    Promised,
    Rota,
    Rung,
    RungKind,
    Shift,
    TopicRules,
)
from routing.session import Session
from routing.view import CustomerEvent, CustomerNotice, customer_view

AIKO, KENJI = OperatorId("aiko"), OperatorId("kenji")
EN, JA, WITHDRAWALS = DeskId("en"), DeskId("ja"), DeskId("withdrawals")
ACCOUNT = Topic("account")
VISITOR = CustomerKey("main", "~visitor")

POLICY = Policy(
    desks={
        EN: Desk(EN, NetworkName("slack"), Place("C-EN"), languages=("en",)),
        JA: Desk(JA, NetworkName("slack"), Place("C-JA"), languages=("ja",)),
        WITHDRAWALS: Desk(WITHDRAWALS, NetworkName("console"), Place("w"), topics=(Topic("withdrawals"),)),
    },
    operators={one: OperatorProfile(one, {"en": one.title()}) for one in (AIKO, KENJI)},
)

LADDER = Ladder(
    rungs=(
        Rung(RungKind.THREAD),
        Rung(RungKind.ON_CALL, after=2 * MINUTE, every=MINUTE, times=2),
        Rung(RungKind.PAGER, "night", after=3 * MINUTE, every=5 * MINUTE),
    )
)
SECURITY, THEFT = Topic("security"), Topic("theft")
BUSY = replace(
    POLICY,
    desks={
        name: replace(
            desk,
            promises=(
                Promise(Promised.FIRST_RESPONSE, 5 * MINUTE, MINUTE, Clock.WALL),
                Promise(Promised.NEXT_RESPONSE, 10 * MINUTE, 2 * MINUTE),
                Promise(Promised.RESOLUTION, 4 * HOUR, HOUR, held_counts=True),
            ),
            ladder=LADDER,
            rota="night",
            fallbacks=tuple(other for other in POLICY.desks if other != name),
            overflow_after=20 * MINUTE,
            contact=Contact(mail="help@example.com"),
            contact_after=10 * MINUTE,
        )
        for name, desk in POLICY.desks.items()
    },
    topic_rules={
        SECURITY: TopicRules(SECURITY, identity_check=True, head_start=5 * MINUTE),
        THEFT: TopicRules(THEFT, emergency=True),
    },
    rotas={"night": Rota((Shift(0, 10**15, KENJI),))},
    translates=True,
)
"""A policy in which everything is switched on."""


def opening(**changed: object) -> i.Opening:
    fields: dict[str, object] = {
        "session": SessionId("main.1.abc"),
        "code": ShortCode("K7Q2"),
        "customer": VISITOR,
        "verified": False,
        "language": "en",
        "topic": ACCOUNT,
    }
    return i.Opening(**{**fields, **changed})  # type: ignore[arg-type]  # boring defaults, overridden by name


@dataclass
class Talk:
    """A session under way: inputs go in, facts and effects pile up."""

    policy: Policy = POLICY
    session: Session | None = None
    now: int = 1_000_000
    facts: list[Fact] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    berths: dict[DeskId, Place] = field(default_factory=dict)
    _keys: itertools.count[int] = field(default_factory=itertools.count)

    def hears(self, event: i.Input, *, after: int = 1_000, key: str = "") -> Verdict:
        """One input, `after` ms later."""
        self.now += after
        name = InputKey(key or f"key/{next(self._keys)}")
        verdict = decide(self.session, event, key=name, now=self.now, policy=self.policy, berths=self.berths)
        if isinstance(verdict, Decision):
            self.session = verdict.session
            self.facts += verdict.facts
            self.effects += verdict.effects
        return verdict

    def accepts(self, event: i.Input, *, after: int = 1_000) -> Session:
        verdict = self.hears(event, after=after)
        assert isinstance(verdict, Decision), verdict
        return verdict.session

    def refuses(self, event: i.Input) -> str:
        verdict = self.hears(event)
        assert isinstance(verdict, Refusal), verdict
        return verdict.reason

    def ignores(self, event: i.Input) -> None:
        verdict = self.hears(event)
        assert isinstance(verdict, Nothing), verdict

    def customer_saw(self) -> list[CustomerEvent]:
        return [event for fact in self.facts if (event := customer_view(fact)) is not None]

    def notices(self) -> list[str]:
        return [event.key for event in self.customer_saw() if isinstance(event, CustomerNotice)]

    def retold(self) -> Session | None:
        return fold(self.facts)


def opened(**changed: object) -> Talk:
    """A session in the queue, with one message."""
    talk = Talk()
    talk.accepts(i.CustomerWrote(MessageId("c:first"), opening(**changed)))
    return talk


def answered() -> Talk:
    """A session that Aiko holds, with one reply."""
    talk = opened()
    talk.accepts(i.OperatorReplied(MessageId("o:first"), AIKO))
    return talk


def resolved() -> Talk:
    talk = answered()
    talk.accepts(i.OperatorResolved(AIKO))
    return talk
