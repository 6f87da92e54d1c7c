"""Rate limits as answers show them, and those that they do not show."""

from __future__ import annotations

import discord as library
import pytest

from tests.integration.discord_simulator.clients import Client, Rest
from tests.simulators.discord import Channel, DiscordSimulator, Fault

CREATE = "POST /channels/{channel_id}/messages"


@pytest.fixture(autouse=True)
def _limited(discord: DiscordSimulator) -> None:
    discord.limits.enabled = True


async def test_a_bucket_counts_down_in_its_headers_and_then_refuses(
    discord: DiscordSimulator, rest: Rest, support: Channel
) -> None:
    outcomes = [await rest.say(support.id, content=str(n)) for n in range(6)]
    assert [status for status, _, _ in outcomes] == [200] * 5 + [429]
    assert [headers["x-ratelimit-remaining"] for _, _, headers in outcomes] == ["4", "3", "2", "1", "0", "0"]
    _, answer, headers = outcomes[-1]
    assert answer == {"message": "You are being rate limited.", "retry_after": 5.0, "global": False}
    assert (headers["x-ratelimit-scope"], headers["retry-after"]) == ("user", "5")
    assert headers["x-ratelimit-limit"] == "5"
    discord.clock.advance(5)
    assert (await rest.say(support.id, content="later"))[0] == 200


async def test_channels_share_a_buckets_name_and_not_its_quota(
    discord: DiscordSimulator, rest: Rest, support: Channel
) -> None:
    other = discord.channel("other")
    _, _, here = await rest.say(support.id, content="1")
    _, _, there = await rest.say(other.id, content="1")
    assert here["x-ratelimit-bucket"] == there["x-ratelimit-bucket"]
    assert here["x-ratelimit-remaining"] == there["x-ratelimit-remaining"] == "4"
    _, _, reading = await rest.call(f"GET /channels/{support.id}/messages")
    assert reading["x-ratelimit-bucket"] != here["x-ratelimit-bucket"]


async def test_fifty_requests_a_second_are_all_whatever_their_buckets(discord: DiscordSimulator, rest: Rest) -> None:
    channels = [discord.channel(str(n)) for n in range(26)]
    calls = [await rest.call(f"{verb} /channels/{c.id}{tail}", body) for c in channels for verb, tail, body in (
        ("POST", "/messages", {"content": "x"}), ("GET", "", None),
    )]  # fmt: skip
    statuses = [status for status, _, _ in calls]
    assert statuses == [200] * 50 + [429] * 2
    _, answer, headers = calls[-1]
    assert answer["global"] is True
    assert (headers["x-ratelimit-global"], headers["x-ratelimit-scope"]) == ("true", "global")


async def test_ten_thousand_invalid_requests_ban_the_address(
    discord: DiscordSimulator, rest: Rest, support: Channel
) -> None:
    discord.habits.invalid_requests = (3, 600.0)
    for _ in range(3):
        await rest.call("GET /users/@me", headers={"Authorization": "Bot nonsense"})
    status, _, headers = await rest.say(support.id, content="hello")
    assert (status, headers["content-type"].partition(";")[0]) == (429, "text/html")
    assert "via" not in headers
    assert not discord.messages(support)
    discord.clock.advance(600)
    assert (await rest.say(support.id, content="hello"))[0] == 200


async def test_a_refused_request_counts_and_a_shared_limit_does_not(
    discord: DiscordSimulator, rest: Rest, support: Channel
) -> None:
    discord.mischief.add(Fault.REFUSE, CREATE, status=403, code=50013)
    discord.mischief.add(Fault.REFUSE, CREATE, status=404, code=10003)
    for _ in range(2):
        await rest.say(support.id, content="x")
    assert discord.api.invalid.count(600) == 1
    _, webhook, _ = await rest.call(f"POST /channels/{support.id}/webhooks", {"name": "x"})
    discord.habits.webhook_posts = (1, 60.0)
    route = f"POST /webhooks/{webhook['id']}/{webhook['token']}"
    assert [(await rest.call(route, {"content": "x"}))[0] for _ in range(2)] == [204, 429]
    assert discord.api.invalid.count(600) == 1


async def test_the_library_waits_for_a_short_limit_and_raises_for_a_long_one(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    discord.mischief.add(Fault.RATE_LIMIT, CREATE, seconds=0.05)
    await client.place(support.id).send("waited")
    assert len(discord.calls_of(CREATE)) == 2
    discord.mischief.add(Fault.HIDDEN_LIMIT, CREATE, seconds=400)
    with pytest.raises(library.RateLimited):
        await client.place(support.id).send("too long")


async def test_the_library_takes_a_429_without_via_for_a_ban(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    discord.mischief.add(Fault.BAN, CREATE)
    with pytest.raises(library.HTTPException, match="429"):
        await client.place(support.id).send("hello")
