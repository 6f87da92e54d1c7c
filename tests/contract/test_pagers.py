"""The pager port, on every implementation: PagerDuty both ways, and whatever Apprise reaches one way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from adapters.oncall.heartbeat import Heartbeat
from adapters.oncall.pagerduty import PagerDuty
from adapters.oncall.targets import targets
from adapters.oncall.told import ToldPager
from bridge.errors import DeliveryError, Fault
from bridge.pagers import KeepsPages, PageCall, Pager, in_time
from config.settings import PagerSettings
from tests.simulators.pagerduty import Mischief, PagerDutySimulator, running
from tests.simulators.pagerduty.message_board import MessageBoard, message_board

# Apprise itself asks for a module that Python 3.13 has no more, and brings a replacement for it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

CALL = PageCall(
    "ja.e0001",
    "ja · withdrawals · waiting since 02:51 JST · 3 people",
    "https://support.example.com/console/#K7Q2",
    at=1_767_289_860_000,
    details={"desk": "ja", "codes": "K7Q2 K3F5"},
)


@pytest.fixture
async def duty() -> AsyncIterator[PagerDutySimulator]:
    async with running() as simulator:
        yield simulator


@pytest.fixture
async def board() -> AsyncIterator[MessageBoard]:
    async with message_board() as one:
        yield one


@dataclass
class Line:
    """One implementation, in front of what it calls."""

    pager: Pager
    duty: PagerDutySimulator
    board: MessageBoard

    def lines(self) -> list[str]:
        """What was said to people."""
        return [one.summary for one in self.duty.events] + [one["message"].split("\n")[0] for one in self.board.told]

    def breaks(self) -> None:
        self.board.status = 500
        self.duty.mood = lambda _number, _event: Mischief.BROKEN

    def hangs(self) -> None:
        self.board.hangs = True
        self.duty.mood = lambda _number, _event: Mischief.HANG


@pytest.fixture(params=["pagerduty", "apprise"])
async def line(request: pytest.FixtureRequest, duty: PagerDutySimulator, board: MessageBoard) -> AsyncIterator[Line]:
    pager: Pager = (
        PagerDuty("night", duty.routing_key, duty.url, "support.example.com")
        if request.param == "pagerduty"
        else ToldPager("night", f"json://127.0.0.1:{board.port}/")
    )
    yield Line(pager, duty, board)
    await pager.close()


# ------------------------------------------------------------------ what every pager does


async def test_a_page_says_its_line_and_leads_to_the_desk(line: Line) -> None:
    await in_time(line.pager.page(CALL))
    assert line.lines() == [CALL.line]
    said = str(line.duty.events) + str(line.board.told)
    assert CALL.link in said


async def test_the_same_page_again_is_taken_again(line: Line) -> None:
    await in_time(line.pager.page(CALL))
    await in_time(line.pager.page(CALL))
    assert line.lines() == [CALL.line] * 2
    assert len(line.duty.incidents) <= 1


async def test_a_page_that_is_not_accepted_is_never_taken_for_one_that_is(line: Line) -> None:
    line.breaks()
    with pytest.raises(DeliveryError):
        await in_time(line.pager.page(CALL))


async def test_one_that_hangs_is_given_up_in_time(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.pagers.CALL_WITHIN", 0.2)
    line.hangs()
    with pytest.raises(DeliveryError) as caught:
        await in_time(line.pager.page(CALL))
    assert caught.value.fault is Fault.AMBIGUOUS
    line.board.let_go.set()


async def test_nobody_listening_is_a_failure_with_a_reason(line: Line) -> None:
    dead: list[Pager] = [
        PagerDuty("night", "0" * 32, "http://127.0.0.1:9", "support.example.com"),
        ToldPager("night", "json://127.0.0.1:9/"),
    ]
    for pager in dead:
        with pytest.raises(DeliveryError) as caught:
            await in_time(pager.page(CALL))
        assert caught.value.code in ("unreachable", "apprise_failed")
        await pager.close()


async def test_a_line_that_is_far_too_long_is_cut_and_taken(line: Line) -> None:
    long = PageCall("k" * 400, "あ" * 5_000, details={"codes": "K7Q2 " * 100_000})
    await in_time(line.pager.page(long))
    (said,) = line.lines()
    assert 100 < len(said) <= 1_024


async def test_what_it_says_of_itself_is_good(line: Line) -> None:
    assert isinstance(line.pager, PagerDuty | ToldPager)
    assert [one.level for one in await line.pager.doctor()] == ["ok"]
    assert line.lines() in ([], [""])


# ------------------------------------------------------------------ PagerDuty's own


async def test_its_page_is_acknowledged_and_resolved_by_its_key(duty: PagerDutySimulator) -> None:
    pager = PagerDuty("night", duty.routing_key, duty.url + "/", "support.example.com")
    await pager.page(CALL)
    (incident,) = duty.open()
    assert (incident.key, incident.status, incident.severity) == (CALL.key, "triggered", "error")
    await pager.acknowledge(CALL.key)
    assert incident.status == "acknowledged"
    await pager.resolve(CALL.key)
    await pager.resolve(CALL.key)
    await pager.acknowledge("never seen")
    assert duty.open() == []
    payload = duty.events[0].body["payload"]
    assert payload["timestamp"] == "2026-01-01T17:51:00.000+00:00"
    assert payload["custom_details"] == {"desk": "ja", "codes": "K7Q2 K3F5"}
    assert payload["source"] == "support.example.com"
    await pager.close()


@pytest.mark.parametrize(
    ("mischief", "fault", "retry_after"),
    [
        (Mischief.BUSY, Fault.TRANSIENT, 30.0),
        (Mischief.BUSY_A_SECOND, Fault.TRANSIENT, 1.0),
        (Mischief.BROKEN, Fault.TRANSIENT, None),
        (Mischief.LOST_BEFORE, Fault.AMBIGUOUS, None),
        (Mischief.LOST_AFTER, Fault.AMBIGUOUS, None),
        (Mischief.PORTAL, Fault.BLOCKED, None),
        (Mischief.REFUSED, Fault.POISON, None),
    ],
)
async def test_each_answer_is_judged_for_what_may_be_done_next(
    duty: PagerDutySimulator, mischief: Mischief, fault: Fault, retry_after: float | None
) -> None:
    duty.mood = lambda _number, _event: mischief
    pager = PagerDuty("night", duty.routing_key, duty.url, "support.example.com")
    with pytest.raises(DeliveryError) as caught:
        await pager.page(CALL)
    assert (caught.value.fault, caught.value.retry_after) == (fault, retry_after)
    assert duty.routing_key not in str(caught.value)
    await pager.close()


async def test_a_lost_answer_and_the_same_event_again_are_one_incident(duty: PagerDutySimulator) -> None:
    duty.mood = lambda number, _event: Mischief.LOST_AFTER if number == 0 else Mischief.FINE
    pager = PagerDuty("night", duty.routing_key, duty.url, "support.example.com")
    with pytest.raises(DeliveryError):
        await pager.page(CALL)
    await pager.page(CALL)
    assert (len(duty.incidents), duty.rings()) == (1, 1)
    await pager.close()


@pytest.mark.parametrize(("key", "code"), [("f" * 32, "routing_key_refused"), ("short", "routing_key_refused")])
async def test_a_wrong_key_is_for_a_person_to_mend(duty: PagerDutySimulator, key: str, code: str) -> None:
    pager = PagerDuty("night", key, duty.url, "support.example.com")
    with pytest.raises(DeliveryError) as caught:
        await pager.page(CALL)
    assert (caught.value.fault, caught.value.code) == (Fault.BLOCKED, code)
    assert "pagers.night.routing_key" in caught.value.mend
    (finding,) = await pager.doctor()
    assert finding.level == "fail"
    assert key not in finding.what + finding.mend
    await pager.close()
    duty.complaints.clear()  # the short one was meant to be found


# ------------------------------------------------------------------ Apprise's own


@pytest.mark.parametrize("url", ["nosuchservice://secret-token", "not an address: secret-token"])
async def test_an_address_that_means_nothing_is_said_without_showing_it(url: str) -> None:
    pager = ToldPager("mail", url)
    with pytest.raises(DeliveryError) as caught:
        await pager.page(CALL)
    assert caught.value.fault is Fault.BLOCKED
    (finding,) = await pager.doctor()
    assert finding.level == "fail"
    assert "secret-token" not in str(caught.value) + finding.what + finding.mend
    await pager.close()


async def test_what_it_posts_shows_no_picture_from_elsewhere(board: MessageBoard) -> None:
    pager = ToldPager("mail", f"json://127.0.0.1:{board.port}/")
    await pager.page(CALL)
    (told,) = board.told
    assert "http" not in str({name: one for name, one in told.items() if name != "message"})
    assert (told["title"], told["type"]) == ("Kakehashi", "failure")
    await pager.close()


# ------------------------------------------------------------------ from the settings


def test_each_section_is_a_pager_of_its_kind() -> None:
    sections = {
        "night": PagerSettings.model_validate({"kind": "pagerduty", "routing_key": "0" * 32}),
        "mail": PagerSettings.model_validate({"kind": "apprise", "url": "mailtos://user:secret@example.com"}),
    }
    made = targets(sections, "support.example.com")
    assert {name: isinstance(one, KeepsPages) for name, one in made.items()} == {"night": True, "mail": False}
    assert [one.name for one in made.values()] == ["night", "mail"]


# ------------------------------------------------------------------ the dead man's switch


async def test_a_heartbeat_fetches_its_address(duty: PagerDutySimulator, board: MessageBoard) -> None:
    with pytest.raises(DeliveryError) as caught:
        await Heartbeat(f"http://127.0.0.1:{board.port}/ping/secret-id")()  # it takes posts only
    assert caught.value.code == "http_405"
    with pytest.raises(DeliveryError) as caught:
        await Heartbeat("http://127.0.0.1:9/ping/secret-id")()
    assert "secret-id" not in str(caught.value) + str(caught.value.__cause__)
