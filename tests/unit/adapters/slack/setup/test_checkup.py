"""Tokens in the wrong place, and clocks that are apart: told without asking Slack for anything."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from email.utils import formatdate

import pytest
from aiohttp import web
from pydantic import SecretStr

from adapters.slack.setup.checkup import Setup, checkup
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.pacing import Pacing
from bridge.doctor import Finding
from config.settings import SlackRates, SlackSettings


async def no_other(channel: str) -> str | None:
    return None


async def look(settings: SlackSettings) -> list[Finding]:
    pacing = Pacing(None, SlackRates())  # type: ignore[arg-type]  # what is asked here is not paced
    api = WebApi(settings, pacing, no_other)
    await api.open()
    try:
        return await checkup(api, Setup(settings, ()))
    finally:
        await api.close()


@pytest.mark.parametrize(
    ("bot", "app", "said"),
    [
        ("xapp-1", "xapp-1", ["slack.bot_token holds an app-level token, and needs a bot token (xoxb-…)"]),
        ("xoxp-1", "xapp-1", ["slack.bot_token holds a user's token, and needs a bot token (xoxb-…)"]),
        ("xoxe.xoxb-1", "xapp-1", ["slack.bot_token holds a token that is rotated, and needs a bot token (xoxb-…)"]),
        ("xoxb-1", "xoxb-1", ["slack.app_token holds a bot token, and needs an app-level token (xapp-…)"]),
        (
            "xapp-1",
            "xoxb-1",
            [
                "slack.bot_token holds an app-level token, and needs a bot token (xoxb-…)",
                "slack.app_token holds a bot token, and needs an app-level token (xapp-…)",
            ],
        ),
    ],
)
async def test_a_token_of_the_wrong_kind_is_named_with_the_mend_and_without_itself(
    bot: str, app: str, said: list[str]
) -> None:
    chosen = SlackSettings(bot_token=SecretStr(f"{bot}-secret"), app_token=SecretStr(f"{app}-secret"))
    found = await look(chosen)
    assert [one.what for one in found] == said
    assert all(one.level == "fail" and one.mend and "secret" not in one.what + one.mend for one in found)


@pytest.fixture
async def clock() -> AsyncIterator[tuple[str, list[float]]]:
    """A Slack whose clock is some seconds ahead: (its address, the seconds, which may be changed)."""
    ahead = [0.0]

    async def answer(request: web.Request) -> web.Response:
        who = {"ok": True, "user": "kakehashi", "user_id": "U", "team": "Team", "team_id": "T", "bot_id": "B"}
        return web.json_response(who, headers={"Date": formatdate(time.time() + ahead[0], usegmt=True)})

    app = web.Application()
    app.router.add_post("/api/auth.test", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/", ahead
    await runner.cleanup()


@pytest.mark.parametrize(
    ("seconds", "level", "said"),
    [
        (0, "ok", "agrees with Slack's"),
        (-40, "warn", "40 s ahead of Slack's"),
        (40, "warn", "40 s behind Slack's"),
        (900, "fail", "900 s behind Slack's, so that signed requests are refused"),
    ],
)
async def test_a_clock_that_is_wrong_is_told_with_how_much(
    clock: tuple[str, list[float]], seconds: float, level: str, said: str
) -> None:
    address, ahead = clock
    ahead[0] = seconds
    chosen = SlackSettings(bot_token=SecretStr("xoxb-1"), signing_secret=SecretStr("s"), api_url=address)
    (found,) = [one for one in await look(chosen) if "clock" in one.what]
    assert found.level == level
    assert found.what.endswith(said) or abs(int(found.what.split(" s ")[0].split()[-1]) - abs(seconds)) <= 1
