"""Operators on Discord: the simulator, and people who answer in the sessions' posts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.scenarios.slack_desk import QUICK
from tests.simulators.discord import Channel, DiscordSimulator, Message, Person, Thread
from tests.simulators.discord.permissions import BOT


@dataclass
class DiscordDesk:
    """A forum with one operator, Kenji."""

    discord: DiscordSimulator
    forum: Channel
    kenji: Person
    policy: Path

    def settings(self) -> dict[str, str | int]:
        """What the service needs to work with this server."""
        return {
            "DISCORD__BOT_TOKEN": self.discord.token,
            "DISCORD__CHANNEL": self.forum.id,
            "DISCORD__API_URL": f"{self.discord.api_url}/",
            "DISCORD__GATEWAY_URL": self.discord.gateway_url,
            "DISCORD__CDN_URL": f"{self.discord.cdn_url}/",
            "POLICY": str(self.policy),
            **QUICK,
        }

    async def thread(self, code: str) -> Thread:
        """The session's post, once it is there."""
        await self.discord.until(lambda: any(one.name.startswith(code) for one in self.discord.threads(self.forum)))
        return next(one for one in self.discord.threads(self.forum) if one.name.startswith(code))

    async def say(self, code: str, text: str) -> Message:
        """The operator writes in the post."""
        return self.kenji.say(await self.thread(code), text)

    async def edit(self, code: str, said: Message, text: str) -> None:
        self.kenji.edit(await self.thread(code), said, text)

    async def shows(self, code: str, words: str) -> None:
        """Return once the words stand in the post."""
        thread = await self.thread(code)
        await self.discord.until(lambda: any(words in one for one in self.discord.read(thread)))

    def everything(self) -> str:
        """Whatever people read anywhere in the forum, and what its posts are called."""
        threads = self.discord.threads(self.forum)
        return "\n".join(line for one in threads for line in (one.name, *self.discord.read(one)))


@asynccontextmanager
async def discord_desk() -> AsyncIterator[DiscordDesk]:
    async with DiscordSimulator(limits=False) as discord:
        forum, kenji = discord.channel("desk", "forum", private=True), discord.person("kenji")
        discord.allow(forum, kenji.id, BOT, quietly=True)
        with TemporaryDirectory() as folder:
            policy = Path(folder) / "policy.toml"
            enrolled = f'[operators.kenji]\nnames = {{ en = "Kenji" }}\ndiscord = "{kenji.id}"\n'
            policy.write_text(enrolled, encoding="utf-8")
            yield DiscordDesk(discord, forum, kenji, policy)
