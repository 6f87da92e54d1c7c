"""Persist, then acknowledge: what Slack is answered says whether it must send the payload again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from slack_bolt.async_app import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.wire.receiver import bolt_app
from adapters.slack.wire.shape import GarbledError
from bridge.errors import KakehashiError, OverloadedError, StoreUnavailableError

PAYLOAD = {"type": "event_callback", "event_id": "Ev1", "event": {"type": "message"}}


def say(language: str, key: str, /, **words: str) -> str:
    del language, words
    return key


async def status(body: Mapping[str, Any], problem: KakehashiError | None) -> int:
    async def take(payload: Mapping[str, Any]) -> None:
        del payload
        if problem is not None:
            raise problem

    app = bolt_app(AsyncWebClient(token="xoxb-made-up"), take, say)
    answer = await app.async_dispatch(AsyncBoltRequest(body=dict(body), mode="socket_mode"))
    return answer.status


@pytest.mark.parametrize(
    ("problem", "answered"),
    [
        (None, 200),
        (StoreUnavailableError("the store is away"), 503),
        (OverloadedError("too much is under way"), 503),
        (GarbledError("event.text is no text"), 400),
    ],
)
async def test_only_what_is_durable_is_acknowledged(problem: KakehashiError | None, answered: int) -> None:
    assert await status(PAYLOAD, problem) == answered


@pytest.mark.parametrize("kind", [["x"], {"x": 1}, 7, None, True])
async def test_a_type_that_is_none_is_taken_as_any_other_payload(kind: Any) -> None:
    assert await status({**PAYLOAD, "type": kind}, None) == 200
