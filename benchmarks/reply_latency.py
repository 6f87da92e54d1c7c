"""From the platform's event (signed HTTP) to the customer's frame."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Sequence

import uvloop

from benchmarks.figures import p50, p99, tell
from benchmarks.stage import Stage, stage
from benchmarks.subjects import SIGNING_SECRET

ALONE = 300
CROWD = 200
ROUNDS = 8
_NUMBERS = itertools.count()


async def measure() -> None:
    async with stage(CROWD) as set_up:
        roots = list(set_up.platform.roots.values())
        assert len(roots) >= CROWD, f"{len(roots)} threads"
        await _round(set_up, range(CROWD))
        ours: list[float] = []
        floor: list[float] = []
        for _ in range(ALONE):
            ours += await _round(set_up, [0])
            floor += await _bare_round(set_up, [0])
        tell("reply_latency_p50_alone", p50(ours) * 1000, "ms", p50(floor) * 1000)
        tell("reply_latency_p99_alone", p99(ours) * 1000, "ms", p99(floor) * 1000)
        ours, floor = [], []
        for _ in range(ROUNDS):
            ours += await _round(set_up, range(CROWD))
            floor += await _bare_round(set_up, range(CROWD))
        tell("reply_latency_p50_crowd", p50(ours) * 1000, "ms", p50(floor) * 1000)
        tell("reply_latency_p99_crowd", p99(ours) * 1000, "ms", p99(floor) * 1000)


async def _round(set_up: Stage, whom: Sequence[int]) -> list[float]:
    """A reply in each of these threads, all at once."""
    roots = list(set_up.platform.roots.values())
    tokens = [f"bench-9{next(_NUMBERS)}-{place}" for place in whom]
    begun = await asyncio.gather(
        *(_reply(set_up, roots[place], token) for place, token in zip(whom, tokens, strict=True))
    )
    moments = await asyncio.gather(*(_heard(set_up, token) for token in tokens))
    return [moment - start for moment, start in zip(moments, begun, strict=True)]


async def _heard(set_up: Stage, token: str) -> float:
    """When any customer's socket had the token: threads and customers are not in the same order."""
    async with asyncio.timeout(40):
        while True:
            for one in set_up.our_customers:
                if token in one.heard:
                    return one.heard[token]
            await asyncio.sleep(0.001)


async def _reply(set_up: Stage, root: str, token: str) -> float:
    number = next(_NUMBERS)
    ts = f"1800000000.{number:06d}"
    event = {
        "type": "message",
        "user": "U0AIKO001",
        "team": "T0BENCH01",
        "channel": "C0BENCH01",
        "channel_type": "channel",
        "text": f"hello {token}",
        "ts": ts,
        "event_ts": ts,
        "thread_ts": root,
        "client_msg_id": f"{number:032x}",
    }
    body = {
        "type": "event_callback",
        "team_id": "T0BENCH01",
        "api_app_id": "A0BENCH01",
        "event": event,
        "event_id": f"Ev{number:09d}",
        "event_time": 1_800_000_000,
        "authorizations": [{"team_id": "T0BENCH01", "user_id": "U0BENCH01", "is_bot": True, "enterprise_id": None}],
    }
    data = json.dumps(body)
    now = str(int(time.time()))
    signature = hmac.new(SIGNING_SECRET.encode(), f"v0:{now}:{data}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": f"v0={signature}",
        "Content-Type": "application/json",
    }
    begun = time.perf_counter()
    async with set_up.client.post(f"{set_up.ours.url}/slack/events", data=data, headers=headers) as answer:
        assert answer.status == 200, answer.status
    return begun


async def _bare_round(set_up: Stage, whom: Sequence[int]) -> list[float]:
    tokens = {place: f"bench-9{next(_NUMBERS)}-{place}" for place in whom}
    begun = dict(
        zip(whom, await asyncio.gather(*(_bare_reply(set_up, place, tokens[place]) for place in whom)), strict=True)
    )
    for place in whom:
        await set_up.floor_customers[place].until_heard(tokens[place])
    return [set_up.floor_customers[place].heard[tokens[place]] - begun[place] for place in whom]


async def _bare_reply(set_up: Stage, place: int, token: str) -> float:
    event = {"name": f"c{place}", "text": f"hello {token}"}
    begun = time.perf_counter()
    async with set_up.client.post(f"{set_up.floor.url}/events", json=event) as answer:
        assert answer.status == 200
    return begun


if __name__ == "__main__":
    uvloop.run(measure())
