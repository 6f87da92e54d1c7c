"""Events that are not Slack's, or are Slack's a second time: refused, or without any effect."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from slack_sdk.signature import SignatureVerifier

from tests.scenarios.customer import Customer, Json
from tests.scenarios.slack_desk import SlackDesk, slack_desk
from tests.scenarios.stage import Stage, stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("forged-slack")]


@dataclass
class House:
    stage: Stage
    desk: SlackDesk
    customer: Customer

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        sent = {"Content-Type": "application/json", **headers}
        async with self.stage.http.post(f"{self.stage.house.url}/slack/events", data=body, headers=sent) as response:
            return response.status

    async def an_event(self, text: str) -> bytes:
        """What Slack would send for an operator's answer in the customer's thread, made up by somebody else."""
        channel, root = await self.desk.root(self.customer.code)
        team = self.desk.slack.workspace.team_id
        said: Json = {"type": "message", "channel": channel.id, "user": self.desk.kenji.id, "text": text}
        said |= {"ts": f"{time.time():.6f}", "thread_ts": root.ts, "team": team}
        call: Json = {"type": "event_callback", "team_id": team, "event_id": f"Ev0{self.customer.code}", "event": said}
        return json.dumps(call).encode()

    async def nothing_came_of_it(self) -> None:
        """Proven by the next true message: it is the first one that the customer reads."""
        await self.desk.say(self.customer.code, "this is true")
        await self.customer.reads("this is true")
        assert self.customer.replies() == ["hello", "this is true"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """About Slack's signatures alone; what Discord signs is in `test_discord_http`."""
    async with slack_desk() as desk, stage(tmp_path_factory.mktemp("forged"), desk) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def house(on: Stage) -> AsyncIterator[House]:
    assert isinstance(on.desk, SlackDesk)
    async with on.visit("customer", "good morning") as customer:
        await on.desk.say(customer.code, "hello")
        await customer.reads("hello")
        yield House(on, on.desk, customer)


def signed(secret: str, body: bytes, at: float) -> dict[str, str]:
    stamp = str(int(at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    assert signature is not None, "it was given a timestamp and a body"
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}


async def test_forged_signatures_are_refused(house: House) -> None:
    body, now = await house.an_event("forged"), time.time()
    ours = signed(house.desk.slack.signing_secret, body, now)
    assert await house.post(body, {}) == 401
    assert await house.post(body, signed("somebody else's secret", body, now)) == 401
    assert await house.post(body + b" ", ours) == 401, "the body was changed on its way"
    assert await house.post(body, {**ours, "X-Slack-Request-Timestamp": str(int(now) + 1)}) == 401
    assert await house.post(body, {**ours, "X-Slack-Signature": "v0=é"}) == 401
    assert await house.post(body, {**ours, "X-Slack-Request-Timestamp": "now"}) == 401
    assert await house.post(body, signed(house.desk.slack.signing_secret, body, now - 400)) == 401, (
        "older than 5 minutes"
    )
    await house.nothing_came_of_it()


async def test_a_replayed_request_says_nothing_twice(house: House) -> None:
    """The verifier takes the same signed request again within five minutes; the input's key is what stops it."""
    body = await house.an_event("once")
    headers = signed(house.desk.slack.signing_secret, body, time.time())
    assert [await house.post(body, headers) for _ in range(5)] == [200] * 5
    other_name = body.replace(b'"Ev0', b'"Ev1')
    assert await house.post(other_name, signed(house.desk.slack.signing_secret, other_name, time.time())) == 200
    await house.desk.say(house.customer.code, "and on")
    await house.customer.reads("and on")
    assert house.customer.replies() == ["hello", "once", "and on"]


async def test_a_wrong_type_in_any_field_of_an_event_is_answered_and_harms_nobody(house: House) -> None:
    call = json.loads(await house.an_event("garbled"))
    call["event"] |= {"files": [{"id": "F0", "name": "a.png"}], "edited": {"ts": "1.5"}, "previous_message": {}}
    for way in ways(call):
        for value in (None, True, 7, "", "\ud800", ["x"], {"x": 1}):
            copy = json.loads(json.dumps(call))
            put(copy, way, value)
            # Whatever of it makes sense after all is somebody else's channel, thread or message, or the customer's own
            copy["event_id"] = f"Ev-{way}-{value}"
            body = json.dumps(copy).encode()
            status = await house.post(body, signed(house.desk.slack.signing_secret, body, time.time()))
            assert status < 500, (way, value)
    errors = house.stage.logs()
    assert "Traceback" not in errors
    assert "garbled" not in errors, "nobody's words are in the log"


def ways(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every field."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*way, key)
        yield from ways(one, (*way, key))


def put(value: Any, way: tuple[Any, ...], other: Any) -> None:
    for step in way[:-1]:
        value = value[step]
    value[way[-1]] = other


async def test_signed_nonsense_is_answered_and_harms_nobody(house: House) -> None:
    for body in (b"", b"{", b"[]", b"5", b'{"type":"event_callback"}', b'{"type":"event_callback","event":7}'):
        status = await house.post(body, signed(house.desk.slack.signing_secret, body, time.time()))
        assert status < 500, body
    await house.nothing_came_of_it()
