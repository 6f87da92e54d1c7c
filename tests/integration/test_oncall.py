"""A late answer calls the pager: from the missed promise to the resolved page, on a real Redis and a PagerDuty."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from adapters.oncall.pagerduty import PagerDuty
from bridge.errors import StoreUnavailableError
from bridge.pages import THE_PAGER
from routing import inputs as i
from routing.effects import ONCALL
from routing.ids import SessionId
from routing.policy import Rung, RungKind
from tests.integration.engine_room import until
from tests.integration.oncall_house import (
    AIKO,
    KENJI,
    NIGHT,
    Bell,
    Process,
    house,
    pagerduty,
    policy,
    process,
    quicken,
)
from tests.redis_servers import private_redis
from tests.simulators.pagerduty import Mischief, PagerDutySimulator, Person
from tests.simulators.pagerduty import running as pagerduty_running
from tests.simulators.pagerduty.simulator import signature

_PREFIXES = itertools.count()
KENJI_THERE, STRANGER = Person("PKENJI1", "Kenji"), Person("PNOBODY", "Somebody Else")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    yield loop.run_until_complete(stack.enter_async_context(private_redis(tmp_path_factory.mktemp("redis"))))
    loop.run_until_complete(stack.aclose())
    loop.close()


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> str:
    quicken(monkeypatch)
    return f"t{next(_PREFIXES)}"


@pytest.fixture
async def duty() -> AsyncIterator[PagerDutySimulator]:
    async with pagerduty_running() as simulator:
        yield simulator


# ------------------------------------------------------------------ the one line through it all


async def test_a_late_answer_pages_is_taken_and_ends_with_the_answer(
    url: str, prefix: str, duty: PagerDutySimulator
) -> None:
    async with house(url, prefix, duty) as (one,):
        session = await one.writes("hanako", "ja", "withdrawals")
        await until(lambda: duty.open(), "it rings")

        async def told(key: str) -> bool:
            return key in await one.notices(session)

        await until(lambda: told("escalated"), "the customer hears of a specialist")
        (incident,) = duty.open()
        await duty.acknowledge(incident, KENJI_THERE)
        ladder = await one.ladder(session)
        assert ladder is not None
        assert ladder.acknowledged_by == KENJI
        assert (await one.notices(session))[-1] == "escalation_taken"

        await one.replies(session, KENJI)
        await until(lambda: incident.status == "resolved", "the page is closed")
        await until(one.at_rest, "nothing is kept")
        assert (len(duty.incidents), duty.rings()) == (1, 1)
        assert duty.answers == [200]


# ------------------------------------------------------------------ no storm


@pytest.mark.parametrize("processes", [1, 2])
async def test_fifty_sessions_late_at_once_are_one_page(
    url: str, prefix: str, duty: PagerDutySimulator, processes: int
) -> None:
    async with house(url, prefix, duty, processes=processes) as running:
        names = [f"customer{number}" for number in range(50)]
        sessions = await asyncio.gather(
            *(running[number % processes].writes(name) for number, name in enumerate(names))
        )

        async def all_told() -> bool:
            for session in sessions:
                ladder = await running[0].ladder(session)
                if ladder is None or not ladder.called:
                    return False
            return True

        await until(all_told, "everybody is told of a specialist")
        (incident,) = duty.incidents
        assert incident.rings == 1
        assert incident.summaries[-1].endswith("50 people")
        assert len(duty.events) < 25

        await asyncio.gather(*(running[0].replies(session) for session in sessions[:-1]))
        await until(lambda: _shelved(running[0], 1), "only one waits")
        assert incident.status == "triggered"
        await running[-1].replies(sessions[-1])
        await until(lambda: incident.status == "resolved", "the last answer resolves it")
        await until(running[0].at_rest)
        assert duty.rings() == 1


async def _shelved(one: Process, count: int) -> bool:
    return len(await one.store.shelf("page")) == count


async def test_a_process_that_dies_with_a_page_in_its_hands_leaves_it_to_the_other(
    url: str, prefix: str, duty: PagerDutySimulator
) -> None:
    async with house(url, prefix, duty) as (one,):
        other = await process(url, prefix, pagerduty(duty), one.rules[0])
        try:
            duty.mood = lambda _number, _event: Mischief.HANG
            session = await one.writes("hanako")
            await until(lambda: duty._hanging, "the call hangs")
            for task in one.tasks:
                task.cancel()
            duty.mood = lambda _number, _event: Mischief.FINE
            await other.start()
            await until(lambda: duty.open(), "the other one calls")
            await other.replies(session)
            await until(other.at_rest)
            assert duty.open() == []
            assert len(duty.incidents) == 1
        finally:
            await other.die()


# ------------------------------------------------------------------ a bad line to PagerDuty


@pytest.mark.parametrize("mischief", [one for one in Mischief if one is not Mischief.REFUSED])
async def test_whatever_happens_to_the_first_events_there_is_one_page_and_nobody_is_told_too_early(
    url: str, prefix: str, duty: PagerDutySimulator, mischief: Mischief, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.pagers.CALL_WITHIN", 0.2)
    monkeypatch.setattr("adapters.oncall.pagerduty.AGAIN", 0.05)
    duty.mood = lambda number, _event: mischief if number < 2 else Mischief.FINE
    async with house(url, prefix, duty) as (one,):
        session = await one.writes("hanako")
        told: list[tuple[bool, bool]] = []

        async def is_told() -> bool:
            ringing = bool(duty.open())
            told.append(("escalated" in await one.notices(session), ringing or bool(duty.open())))
            return told[-1][0]

        await until(is_told, "the customer hears of it")
        assert all(ringing for heard, ringing in told if heard)
        await one.replies(session)
        await until(one.at_rest)
        assert (len(duty.incidents), duty.rings(), duty.open()) == (1, 1, [])


async def test_a_refused_key_tells_the_customer_nothing_and_is_seen_to_be_overdue(
    url: str, prefix: str, duty: PagerDutySimulator
) -> None:
    wrong = {NIGHT: PagerDuty(NIGHT, "f" * 32, duty.url, "support.example.com")}
    async with house(url, prefix, rules=policy(), pagers=[wrong]) as (one,):
        session = await one.writes("hanako")

        async def is_overdue() -> bool:
            return await one.pages.overdue() > 200

        await until(is_overdue)
        assert "escalated" not in await one.notices(session)
        assert duty.incidents == []


async def test_a_pager_that_the_settings_do_not_have_is_set_aside_and_the_ladder_goes_on(url: str, prefix: str) -> None:
    rules = policy(Rung(RungKind.PAGER, "unknown"), Rung(RungKind.PAGER, NIGHT, every=600_000))
    bell = Bell()
    async with house(url, prefix, rules=rules, pagers=[{NIGHT: bell}]) as (one,):
        await one.writes("hanako")
        await until(lambda: bell.told)
        (stuck,) = await one.store.stuck_lanes(ONCALL)
        assert (stuck.aside, stuck.error) == (True, "no_such_pager")


# ------------------------------------------------------------------ acknowledging


async def test_an_acknowledgement_at_the_desk_is_told_to_pagerduty(
    url: str, prefix: str, duty: PagerDutySimulator
) -> None:
    async with house(url, prefix, duty) as (one,):
        session = await one.writes("hanako")
        await until(lambda: _told(one, session))
        await one.does(session, i.OperatorAcknowledged(AIKO))
        await until(lambda: duty.open()[0].status == "acknowledged")
        assert (await one.notices(session))[-1] == "escalation_taken"


async def _told(one: Process, session: SessionId) -> bool:
    return "escalated" in await one.notices(session)


async def test_an_acknowledgement_that_is_not_kept_rings_again(url: str, prefix: str, duty: PagerDutySimulator) -> None:
    async with house(url, prefix, duty, rules=policy(answer_within=300)) as (one,):
        session = await one.writes("hanako")
        await until(lambda: _told(one, session))
        first = duty.incidents[0]
        await duty.acknowledge(first, KENJI_THERE)
        await until(lambda: len(duty.incidents) == 2, "a second page rings, for the first is silent")
        await until(lambda: first.status == "resolved")
        await one.replies(session)
        await until(one.at_rest)
        assert duty.open() == []


async def test_somebody_whom_we_do_not_know_acknowledges_as_the_pager(
    url: str, prefix: str, duty: PagerDutySimulator
) -> None:
    async with house(url, prefix, duty) as (one,):
        session = await one.writes("hanako")
        await until(lambda: _told(one, session))
        await duty.acknowledge(duty.incidents[0], STRANGER)
        ladder = await one.ladder(session)
        assert ladder is not None
        assert ladder.acknowledged_by == THE_PAGER


async def test_who_resolves_the_incident_by_hand_has_promised_to_answer(
    url: str, prefix: str, duty: PagerDutySimulator
) -> None:
    async with house(url, prefix, duty) as (one,):
        session = await one.writes("hanako")
        await until(lambda: _told(one, session))
        await duty.resolve(duty.incidents[0], KENJI_THERE)
        ladder = await one.ladder(session)
        assert ladder is not None
        assert ladder.acknowledged_by == KENJI
        assert (await one.session(session)).state == "queued"


async def test_all_sessions_of_a_page_are_acknowledged_with_it(url: str, prefix: str, duty: PagerDutySimulator) -> None:
    async with house(url, prefix, duty) as (one,):
        sessions = [await one.writes(f"customer{number}") for number in range(3)]
        for session in sessions:
            await until(lambda session=session: _told(one, session))  # type: ignore[misc]  # bound early on purpose
        await duty.acknowledge(duty.incidents[0], KENJI_THERE)
        for session in sessions:
            ladder = await one.ladder(session)
            assert ladder is not None
            assert ladder.acknowledged_by == KENJI


# ------------------------------------------------------------------ the webhook


async def test_a_webhook_that_comes_twice_or_is_played_back_counts_once(
    url: str, prefix: str, duty: PagerDutySimulator
) -> None:
    duty.twice = True
    async with house(url, prefix, duty) as (one,):
        session = await one.writes("hanako")
        await until(lambda: _told(one, session))
        await duty.acknowledge(duty.incidents[0], KENJI_THERE)
        assert await duty.play_back() == 200
        assert (await one.notices(session)).count("escalation_taken") == 1
        await one.replies(session)
        await until(one.at_rest)

        again = await one.writes("taro")
        await until(lambda: _told(one, again))
        assert await duty.play_back() == 200
        ladder = await one.ladder(again)
        assert ladder is not None
        assert ladder.acknowledged_by is None


@pytest.mark.parametrize(
    "header",
    ["", "v1=", "v1=00", "v0={right}", "{right}", "v1=ä", "v1=" + "0" * 64, ",".join(["v1=00"] * 20 + ["v1={right}"])],
    ids=["none", "empty", "short", "old version", "no version", "not ascii", "wrong", "too many"],
)
async def test_a_forged_webhook_is_refused_and_changes_nothing(
    url: str, prefix: str, duty: PagerDutySimulator, header: str
) -> None:
    async with house(url, prefix, duty) as (one,):
        session = await one.writes("hanako")
        await until(lambda: _told(one, session))
        assert await duty.forge(duty.incidents[0], header=header.format(right="0" * 64)) == 401
        ladder = await one.ladder(session)
        assert ladder is not None
        assert ladder.acknowledged_by is None


async def test_while_the_secret_is_replaced_both_signatures_count(
    url: str, prefix: str, duty: PagerDutySimulator
) -> None:
    async with house(url, prefix, duty) as (one,):
        duty.secrets = ["the new one", *duty.secrets]
        session = await one.writes("hanako")
        await until(lambda: _told(one, session))
        await duty.acknowledge(duty.incidents[0], KENJI_THERE)
        assert duty.answers == [200]


async def test_a_webhook_that_could_not_be_recorded_comes_again(
    url: str, prefix: str, duty: PagerDutySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(url, prefix, duty) as (one,):
        session = await one.writes("hanako")
        await until(lambda: _told(one, session))
        refusals = iter(range(3))
        commit = one.store.commit

        async def moody(*arguments: object) -> object:
            if next(refusals, None) is not None:
                raise StoreUnavailableError("away")
            return await commit(*arguments)  # type: ignore[arg-type]  # passed on as it is

        monkeypatch.setattr(one.store, "commit", moody)
        await duty.acknowledge(duty.incidents[0], KENJI_THERE)
        assert duty.answers == [503, 503, 503, 200]
        ladder = await one.ladder(session)
        assert ladder is not None
        assert ladder.acknowledged_by == KENJI


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"event": 3}', 400),
        (b'{"event": {"id": "1"}}', 200),
        (b'{"event": {"id": "1", "event_type": "incident.acknowledged", "data": []}}', 200),
        (b'{"event": {"id": "1", "event_type": "incident.acknowledged", "data": {"incident_key": null}}}', 200),
        (b'{"event": {"id": "1", "event_type": "pagey.ping", "data": {"incident_key": "k"}}}', 200),
        (b'{"event": {"id": {"a": 1}, "event_type": [], "agent": 3, "data": {"incident_key": []}}}', 200),
        (b"\xff\xfe", 400),
        (b'{"x": "' + b"x" * 300_000 + b'"}', 413),
    ],
    ids=["empty", "list", "number", "bare", "odd data", "no key", "ping", "odd types", "no text", "large"],
)
async def test_what_makes_no_sense_is_answered_and_breaks_nothing(
    url: str, prefix: str, duty: PagerDutySimulator, body: bytes, status: int
) -> None:
    async with house(url, prefix, duty):
        assert await duty._post(body, {"X-PagerDuty-Signature": signature(duty.secrets[0], body)}) == status


# ------------------------------------------------------------------ what a page may say


async def test_no_word_of_the_customers_leaves_for_a_pager(url: str, prefix: str, duty: PagerDutySimulator) -> None:
    async with house(url, prefix, duty) as (one,):
        session = await one.writes("hanako", "ja", "withdrawals")
        await until(lambda: _told(one, session))
        code = (await one.session(session)).code
        (event,) = duty.events
        said = str(event.body)
        assert "secret" not in said
        assert "hanako" not in said
        assert event.summary.startswith("ja · withdrawals · waiting since ")
        assert event.summary.endswith(" JST · 1 person")
        assert event.body["client_url"] == f"http://desk.test/console/#{code}"


async def test_a_pager_that_is_only_told_is_told_and_the_customer_hears_of_it(url: str, prefix: str) -> None:
    bell = Bell()
    async with house(url, prefix, pagers=[{NIGHT: bell}]) as (one,):
        session = await one.writes("hanako")
        await until(lambda: _told(one, session))
        assert len(bell.told) == 1
        await one.replies(session)
        await until(one.at_rest)
        assert len(bell.told) == 1
