"""Orders: what a typed command asks of a session, or what it lacks."""

from __future__ import annotations

from typing import cast
from zoneinfo import ZoneInfo

import pytest

from bridge.directory import Directory, Operator
from bridge.networks.commands import Command, Verb
from bridge.networks.orders import Amiss, Order, Orders
from bridge.ports import Store
from config.locales import LANGUAGES, text
from routing import inputs as i
from routing.ids import DeskId, OperatorId
from routing.inputs import Outcome
from routing.policy import MINUTE
from tests.unit.routing.builders import AIKO, EN, JA, KENJI, POLICY, opened

TITLES = {EN: {"en": "English", "ja": "英語"}, JA: {"en": "Japanese", "ja": "日本語"}}
SESSION = opened().session


class Kept:
    """A store with one account."""

    async def shelf(self, space: str) -> dict[str, str]:
        return {}

    async def names(self, prefix: str) -> list[str]:
        return []

    async def put(self, name: str, value: str) -> None:
        """Kept by the directory itself."""


@pytest.fixture
async def orders() -> Orders:
    directory = Directory(cast(Store, Kept()), POLICY.operators)
    await directory.add(Operator(OperatorId("op-1"), "hanako", {"en": "Hana", "ja": "花子"}))
    return Orders(
        lambda language, key: text("thread", language, key),
        LANGUAGES,
        directory,
        desks=lambda: POLICY.desks,
        titles=lambda: TITLES,
        zone=lambda desk: ZoneInfo("Asia/Tokyo"),
    )


def order(orders: Orders, verb: Verb, argument: str = "", mentioned: OperatorId | None = None) -> Order | Amiss:
    assert SESSION is not None
    return orders.order(Command(verb, argument), AIKO, SESSION, 0, mentioned)


def event(orders: Orders, verb: Verb, argument: str = "", mentioned: OperatorId | None = None) -> i.OperatorInput:
    found = order(orders, verb, argument, mentioned)
    assert isinstance(found, Order), found
    return found.event


def test_commands_that_need_nothing_take_nothing(orders: Orders) -> None:
    for verb, kind in {
        Verb.CLAIM: i.OperatorClaimed,
        Verb.RELEASE: i.OperatorReleased,
        Verb.ESCALATE: i.OperatorEscalated,
        Verb.ACKNOWLEDGE: i.OperatorAcknowledged,
    }.items():
        assert event(orders, verb) == kind(AIKO)
        assert order(orders, verb, "please") == Amiss("bare")


def test_a_hold_is_until_a_time_by_the_desks_clocks(orders: Orders) -> None:
    assert event(orders, Verb.HOLD, "30m") == i.OperatorHeld(AIKO, 30 * MINUTE)
    assert event(orders, Verb.HOLD, "10:00") == i.OperatorHeld(AIKO, 60 * MINUTE), "1970 began at nine in Tokyo"
    assert order(orders, Verb.HOLD) == order(orders, Verb.HOLD, "soon") == Amiss("no_time")


def test_an_outcome_is_solved_unless_another_is_named(orders: Orders) -> None:
    assert event(orders, Verb.RESOLVE) == i.OperatorResolved(AIKO, Outcome.SOLVED)
    assert event(orders, Verb.RESOLVE, "ｓｐａｍ") == i.OperatorResolved(AIKO, Outcome.SPAM)
    assert event(orders, Verb.RESOLVE, "未解決") == i.OperatorResolved(AIKO, Outcome.UNSOLVED)
    assert order(orders, Verb.RESOLVE, "abandoned") == Amiss("no_outcome"), "that is not for an operator to say"


@pytest.mark.parametrize(
    ("argument", "desk", "to"),
    [
        ("ja", JA, None), ("日本語", JA, None), ("ＪＡＰＡＮＥＳＥ", JA, None),
        ("withdrawals", DeskId("withdrawals"), None),
        ("ja @kenji", JA, KENJI), ("ja ＠花子", JA, "op-1"), ("@hanako", EN, "op-1"), ("@Hana", EN, "op-1"),
    ],
)  # fmt: skip
def test_a_session_goes_to_a_desk_or_to_somebody(orders: Orders, argument: str, desk: DeskId, to: str | None) -> None:
    assert event(orders, Verb.TRANSFER, argument) == i.OperatorTransferred(AIKO, desk, OperatorId(to) if to else None)


def test_whom_the_network_names_is_whom_it_names(orders: Orders) -> None:
    moved = i.OperatorTransferred(AIKO, JA, KENJI)
    assert event(orders, Verb.TRANSFER, "ja @somebody", KENJI) == moved
    assert order(orders, Verb.TRANSFER, "ja @somebody") == Amiss("no_colleague")
    assert order(orders, Verb.TRANSFER, "nowhere") == order(orders, Verb.TRANSFER) == Amiss("no_desk")


def test_a_desk_is_called_by_its_title_in_the_closest_language(orders: Orders) -> None:
    assert [orders.title(JA, tag) for tag in ("ja", "ja-JP", "fr")] == ["日本語", "日本語", "Japanese"]
    assert orders.title(DeskId("withdrawals"), "en") == "withdrawals"
