"""A policy with some of everything that routing knows, for the desk's tests. Promises are in minutes."""

from __future__ import annotations

from dataclasses import replace

from routing.ids import DeskId, Topic
from routing.policy import HOUR, MINUTE, Ladder, Policy, Priority, Promise, Promised, Rung, RungKind, TopicRules
from tests.integration.console_house import policy

TRADING, WITHDRAWALS, SECURITY = Topic("trading"), Topic("transfers"), Topic("security")
EN, OUT = DeskId("en"), DeskId("withdrawals")

PROMISES = (
    Promise(Promised.FIRST_RESPONSE, HOUR, warn_before=MINUTE),
    Promise(Promised.FIRST_RESPONSE, 2 * MINUTE, warn_before=2 * MINUTE, priority=Priority.HIGH),
    Promise(Promised.NEXT_RESPONSE, HOUR, warn_before=MINUTE),
    Promise(Promised.RESOLUTION, 24 * HOUR),
)
"""`transfers` is of high priority: its warning is due at once, so that a test need not wait for it."""

LADDER = Ladder((Rung(RungKind.THREAD), Rung(RungKind.CHANNEL, after=5 * MINUTE)))


def routed() -> Policy:
    plain = policy()
    desks = {name: replace(desk, promises=PROMISES, ladder=LADDER) for name, desk in plain.desks.items()}
    desks[OUT] = replace(desks[OUT], languages=("fr",), topics=())  # who writes French comes here
    rules = {
        WITHDRAWALS: TopicRules(WITHDRAWALS, priority=Priority.HIGH),
        SECURITY: TopicRules(SECURITY, emergency=True, identity_check=True),
    }
    return replace(plain, desks=desks, topics=(*plain.topics, SECURITY), topic_rules=rules)
