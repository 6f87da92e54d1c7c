"""Each word of Slack's means one thing for a delivery."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from adapters.slack.wire.client import _from_sdk, _judged
from bridge.errors import DeliveryError, Fault


def fault(status: int, data: dict[str, Any], retry_after: str | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        _judged(status, retry_after, data)
    return raised.value


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("msg_too_long", Fault.POISON),
        ("invalid_blocks", Fault.POISON),
        ("msg_blocks_too_long", Fault.POISON),
        ("metadata_too_large", Fault.POISON),
        ("invalid_auth", Fault.BLOCKED),
        ("token_revoked", Fault.BLOCKED),
        ("missing_scope", Fault.BLOCKED),
        ("channel_not_found", Fault.BLOCKED),
        ("not_in_channel", Fault.BLOCKED),
        ("is_archived", Fault.BLOCKED),
        ("restricted_action_thread_locked", Fault.BLOCKED),
        ("a_word_of_tomorrow", Fault.BLOCKED),
        ("internal_error", Fault.AMBIGUOUS),
        ("fatal_error", Fault.AMBIGUOUS),
        ("service_unavailable", Fault.AMBIGUOUS),
        ("request_timeout", Fault.TRANSIENT),
        ("ratelimited", Fault.TRANSIENT),
    ],
)
def test_a_refusal_is_judged_by_its_word(code: str, meaning: Fault) -> None:
    error = fault(200, {"ok": False, "error": code})
    assert (error.fault, error.code) == (meaning, code)
    assert error.mend or meaning in (Fault.AMBIGUOUS, Fault.TRANSIENT)


def test_a_rate_limit_says_when_to_come_back() -> None:
    error = fault(429, {"ok": False, "error": "ratelimited"}, "30")
    assert (error.fault, error.retry_after) == (Fault.TRANSIENT, 30.0)


@pytest.mark.parametrize("garbled", [None, "", "soon", "²", "-5", "0", "nan", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_429_that_names_no_time_leaves_it_to_the_pacing(garbled: str | None) -> None:
    assert fault(429, {}, garbled).retry_after is None


@pytest.mark.parametrize("absurd", ["999999999", "inf"])
def test_a_429_is_believed_for_an_hour(absurd: str) -> None:
    assert fault(429, {}, absurd).retry_after == 3_600.0


@pytest.mark.parametrize("status", [200, 500, 502, 503])
def test_an_answer_that_says_nothing_leaves_it_open(status: int) -> None:
    assert fault(status, {}).fault is Fault.AMBIGUOUS


def test_a_wrong_address_is_not_tried_for_ever() -> None:
    assert fault(404, {}).fault is Fault.BLOCKED


class Page:
    """As the SDK hands over an answer that is not JSON."""

    status = 502
    headers: dict[str, str] = {}  # noqa: RUF012 - read only


def test_the_sdks_three_ways_of_failing_come_to_the_same() -> None:
    error = _from_sdk(SlackApiError("html", Page()))  # type: ignore[no-untyped-call]  # the SDK has no types here
    assert (error.fault, error.code) == (Fault.AMBIGUOUS, "http_502")
