"""The service as a process of its own, a customer's page before it and Discord behind it; and the process dies."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from tests.scenarios.customer import Customer
from tests.service import Installation
from tests.simulators.discord import DiscordSimulator
from tests.simulators.discord.permissions import BOT

QUICK = {"LANES__SEND_DEADLINE": 2, "LANES__QUARANTINE": 3, "LANES__SWEEP": 2}


async def test_what_an_operator_says_while_the_listener_is_dead_reaches_the_customer_once(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(DiscordSimulator(limits=False))
        desk = discord.channel("desk", "forum", private=True)
        kenji = discord.person("kenji")
        discord.allow(desk, kenji.id, BOT, quietly=True)
        settings: dict[str, str | int] = {
            "DISCORD__BOT_TOKEN": discord.token,
            "DISCORD__CHANNEL": desk.id,
            "DISCORD__PUBLIC_KEY": discord.public_key,
            "DISCORD__API_URL": f"{discord.api_url}/",
            "DISCORD__GATEWAY_URL": discord.gateway_url,
            "DISCORD__CDN_URL": f"{discord.cdn_url}/",
            **QUICK,
        }
        service = await stack.enter_async_context(Installation(tmp_path / "service", settings))
        await service.answer("operators", "add", "kenji", "--name", "en=Kenji", "--no-password")
        await service.answer("operators", "link", "kenji", kenji.id)
        first = await service.up()
        http = await stack.enter_async_context(aiohttp.ClientSession())
        customer = await stack.enter_async_context(Customer(http, [service.url]).online())
        await customer.write("my transfer is missing")
        await discord.until(lambda: discord.threads(desk))
        (thread,) = discord.threads(desk)
        await discord.until(lambda: any("transfer" in line for line in discord.read(thread)))
        kenji.say(thread, "Let me look")
        await customer.reads("Let me look")

        await first.kill()
        kenji.say(thread, "It has arrived")
        await service.up()
        await customer.reads("It has arrived")
        await customer.write("thank you")
        await discord.until(lambda: any("thank you" in line for line in discord.read(thread)))
        kenji.say(thread, "Gladly")
        await customer.reads("Gladly")
        assert customer.replies() == ["Let me look", "It has arrived", "Gladly"]

        await discord.use_http(f"{service.url}/discord/interactions")
        outcome = await kenji.click(thread, thread.id, "Resolve")
        assert (outcome.ok, outcome.status) == (True, 200)
        assert len(discord.threads(desk)) == 1
        assert sum("thank you" in line for line in discord.read(thread)) == 1
