"""The house that the simulated day is played in: three desks, six operators, everything that the policy can do."""

from __future__ import annotations

from routing.hours import Hours
from routing.ids import DeskId, NetworkName, OperatorId, Place, Topic
from routing.policy import (
    HOUR,
    MINUTE,
    Assignment,
    Clock,
    Contact,
    Desk,
    Ladder,
    OperatorProfile,
    Policy,
    Priority,
    Promise,
    Promised,
    Rota,
    Rung,
    RungKind,
    Shift,
    TopicRules,
)

START = 1_767_225_600_000
"""Midnight, the first of January 2026, UTC; ms since 1970."""

DAY = 24 * HOUR

EN, JA, ZH = DeskId("en"), DeskId("ja"), DeskId("zh")
TRADING, SECURITY, THEFT = Topic("trading"), Topic("security"), Topic("theft")
LANGUAGES = ("en", "ja", "zh-Hans")

_LADDER = Ladder(
    rungs=(
        Rung(RungKind.THREAD, every=2 * MINUTE, times=2),
        Rung(RungKind.ON_CALL, after=3 * MINUTE, every=3 * MINUTE, times=2),
        Rung(RungKind.PAGER, "night", after=5 * MINUTE, every=30 * MINUTE),
    )
)
_PROMISES = (
    Promise(Promised.FIRST_RESPONSE, 5 * MINUTE, MINUTE),
    Promise(Promised.FIRST_RESPONSE, 2 * MINUTE, MINUTE, Clock.WALL, Priority.URGENT),
    Promise(Promised.NEXT_RESPONSE, 10 * MINUTE, 2 * MINUTE),
    Promise(Promised.RESOLUTION, 8 * HOUR, HOUR, held_counts=True),
)
_TEAMS = {
    "aiko": (JA, EN),
    "kenji": (JA,),
    "mei": (ZH, JA),
    "li": (ZH,),
    "sam": (EN,),
    "zoe": (EN, ZH),
}


def policy() -> Policy:
    """Japanese around the clock, in turn; English to the least busy; Chinese by day, by hand, and over to English."""
    return Policy(
        desks={
            EN: _desk(EN, Assignment.LEAST_BUSY),
            JA: _desk(JA, Assignment.ROUND_ROBIN),
            ZH: _desk(ZH, Assignment.CLAIM, hours=_office(), fallbacks=(EN,), overflow_after=15 * MINUTE),
        },
        topics=(TRADING, SECURITY, THEFT),
        topic_rules={
            SECURITY: TopicRules(SECURITY, identity_check=True, head_start=5 * MINUTE, priority=Priority.HIGH),
            THEFT: TopicRules(THEFT, emergency=True),
        },
        rotas={"night": Rota((Shift(START, START + 10 * DAY, OperatorId("sam")),))},
        operators={OperatorId(name): _operator(name, number) for number, name in enumerate(_TEAMS)},
    )


def _desk(desk: DeskId, assignment: Assignment, **changed: object) -> Desk:
    language = "zh" if desk == ZH else desk
    return Desk(
        desk,
        NetworkName("console"),
        Place(desk),
        languages=(language,),
        assignment=assignment,
        promises=_PROMISES,
        ladder=_LADDER,
        rota="night",
        contact=Contact(mail="help@example.com"),
        contact_after=20 * MINUTE,
        silence_after=2 * HOUR,
        close_after=2 * HOUR,
        **changed,  # type: ignore[arg-type]  # a desk's own fields, by name
    )


def _office() -> Hours:
    days = range(10)
    return Hours(tuple((START + day * DAY + 9 * HOUR, START + day * DAY + 18 * HOUR) for day in days))


def _operator(name: str, number: int) -> OperatorProfile:
    return OperatorProfile(OperatorId(name), {"en": name.title()}, _TEAMS[name], capacity=2 + number % 3)
