"""How many calls an outage costs, and what is kept from being asked for again."""

from __future__ import annotations

import pytest

from bridge.errors import DeliveryError, Fault
from bridge.networks.pulse import PLATFORM, Pulse

DOWN = DeliveryError(Fault.AMBIGUOUS, "no_answer")
REVOKED = DeliveryError(Fault.BLOCKED, "token_revoked", mend="set the new token")
ALL = (PLATFORM, "method post", "channel C1")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def pulse() -> tuple[Pulse, Clock]:
    clock = Clock()
    return Pulse(clock=clock, wall=clock), clock


def calls_in(pulse: Pulse, clock: Clock, seconds: float, error: DeliveryError | None, sessions: int = 300) -> int:
    """How many of many sessions, each of which tries each second, get through."""
    made, end = 0, clock.now + seconds
    while clock.now < end:
        for _ in range(sessions):
            try:
                pulse.admit(ALL)
            except DeliveryError:
                continue
            made += 1
            if error is None:
                pulse.answered(ALL)
            else:
                pulse.failed(PLATFORM, error)
        clock.now += 1.0
    return made


def test_an_hour_without_an_answer_costs_a_few_calls_a_minute_however_many_wait() -> None:
    one, clock = pulse()
    calls_in(one, clock, 60, DOWN)
    assert calls_in(one, clock, 3_600, DOWN) <= 2 * 60 + 1
    assert one.silent_since == 1_000.0


def test_the_first_answer_lets_everybody_through_again() -> None:
    one, clock = pulse()
    calls_in(one, clock, 600, DOWN)
    assert calls_in(one, clock, 31, None) > 300
    assert one.silent_since is None


def test_one_call_without_an_answer_shuts_nothing() -> None:
    one, _clock = pulse()
    one.failed(PLATFORM, DOWN)
    one.failed(PLATFORM, DOWN)
    one.admit(ALL)
    assert one.trouble is None


def test_who_is_sent_away_is_told_when_to_come_back_and_that_nothing_was_done() -> None:
    one, _clock = pulse()
    for _ in range(3):
        one.failed(PLATFORM, DOWN)
    with pytest.raises(DeliveryError) as sent_away:
        one.admit(ALL)
    assert sent_away.value.fault is Fault.TRANSIENT
    assert sent_away.value.retry_after is not None
    assert 1.0 < sent_away.value.retry_after <= 2.0


def test_only_one_finds_out_for_all() -> None:
    one, clock = pulse()
    for _ in range(3):
        one.failed(PLATFORM, DOWN)
    clock.now += 1.5
    one.admit(ALL)
    with pytest.raises(DeliveryError):
        one.admit(ALL)
    clock.now += 10.5  # it was never heard of again: the next one tries
    one.admit(ALL)


def test_what_a_person_must_mend_is_said_with_the_mend_and_asked_again_now_and_then() -> None:
    one, clock = pulse()
    one.failed(PLATFORM, REVOKED)
    with pytest.raises(DeliveryError) as sent_away:
        one.admit(ALL)
    assert (sent_away.value.fault, sent_away.value.mend) == (Fault.BLOCKED, "set the new token")
    assert calls_in(one, clock, 600, REVOKED) <= 31
    one.understood()  # another word than the token's says nothing about the token
    assert one.trouble is not None


def test_an_archived_channel_holds_up_no_other() -> None:
    one, _clock = pulse()
    one.failed("channel C1", DeliveryError(Fault.BLOCKED, "is_archived"))
    with pytest.raises(DeliveryError):
        one.admit(ALL)
    one.admit((PLATFORM, "channel C2"))
    assert one.trouble is None


def test_a_method_that_is_refused_is_named_until_it_is_let_through() -> None:
    one, _clock = pulse()
    one.failed("method post", DeliveryError(Fault.BLOCKED, "missing_scope", mend="install the app again"))
    refused = one.refused("method post")
    assert refused is not None
    assert refused[1].mend == "install the app again"
    assert (one.trouble, one.refused("method read")) == (None, None)
    one.answered((PLATFORM, "method post"))
    assert one.refused("method post") is None


def test_what_a_person_has_mended_may_be_tried_at_once() -> None:
    one, _clock = pulse()
    for method in ("post", "read"):
        one.failed(f"method {method}", DeliveryError(Fault.BLOCKED, "missing_scope"))
    one.failed("channel C1", DeliveryError(Fault.BLOCKED, "is_archived"))
    one.mended("missing_scope")
    one.admit((PLATFORM, "method post", "channel C2"))
    assert one.refused("method read") is None
    assert one.refused("channel C1") is not None
