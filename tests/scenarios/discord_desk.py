"""Kenji on Discord: a forum for each desk of the policy, and a post in it for each session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.scenarios.reading import stand
from tests.service import Running
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Message, Person, Thread
from tests.simulators.discord.components import find
from tests.simulators.discord.permissions import BOT

POSTS = "POST /channels/{channel_id}/messages"
DELETIONS = "DELETE /channels/{channel_id}"


@dataclass
class DiscordDesk:
    """A `tests.scenarios.desks.Desk`."""

    discord: DiscordSimulator
    network: str = "discord"
    operator: str = "kenji"
    most: int = 4_000
    keeps_operators_words: bool = False
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    noted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    forums: dict[str, Channel] = field(default_factory=dict)

    @property
    def kenji(self) -> Person:
        return self.discord.person("kenji")

    # ------------------------------------------------------------------ the stage

    def settings(self) -> Mapping[str, str | int]:
        return {
            "DISCORD__BOT_TOKEN": self.discord.token,
            "DISCORD__PUBLIC_KEY": self.discord.public_key,
            "DISCORD__API_URL": f"{self.discord.api_url}/",
            "DISCORD__GATEWAY_URL": self.discord.gateway_url,
            "DISCORD__CDN_URL": f"{self.discord.cdn_url}/",
        }

    def place(self, desk: str) -> str:
        if desk not in self.forums:
            self.forums[desk] = self.discord.channel(desk, "forum", private=True)
            self.discord.allow(self.forums[desk], self.kenji.id, BOT, quietly=True)
        return f'network = "discord"\nchannel = "{self.forums[desk].id}"'

    def people(self) -> str:
        return f'[operators.kenji]\nnames = {{ en = "Kenji" }}\ncapacity = 100\ndiscord = "{self.kenji.id}"\n'

    async def opens(self, processes: Sequence[Running]) -> None:
        await self.discord.use_http(f"{processes[0].url}/discord/interactions")

    # ------------------------------------------------------------------ what stands there

    def posts(self, code: str) -> list[tuple[str, Thread]]:
        """Desk and post of the session, the oldest first."""
        found = [(desk, one) for desk, forum in self.forums.items() for one in self.discord.threads(forum)]
        return sorted((one for one in found if one[1].name.startswith(code)), key=lambda one: int(one[1].id))

    async def comes_to(self, code: str, desk: str) -> None:
        await self.discord.until(lambda: [at for at, _ in self.posts(code)][-1:] == [desk])

    async def post(self, code: str) -> Thread:
        """The session's post, once it is there."""
        await self.discord.until(lambda: self.posts(code))
        return self.posts(code)[-1][1]

    async def threads(self, code: str) -> int:
        return len(self.posts(code))

    async def card(self, code: str) -> str:
        post = await self.post(code)
        return self.discord.seen(post.messages[post.id])

    async def thread(self, code: str) -> Sequence[str]:
        return self._beneath(await self.post(code))

    def _beneath(self, post: Thread) -> list[str]:
        return [self.discord.seen(one) for one in self.discord.messages(post) if one.id != post.id]

    async def shows(self, code: str, *words: str) -> None:
        post = await self.post(code)
        await self.discord.until(lambda: stand(words, self._beneath(post)))

    async def everything(self) -> str:
        posts = [one for forum in self.forums.values() for one in self.discord.threads(forum)]
        return "\n".join(line for one in posts for line in (one.name, *self.discord.read(one)))

    async def files(self, code: str) -> int:
        return sum(len(one.attachments) for one in self.discord.messages(await self.post(code)))

    # ------------------------------------------------------------------ what Kenji does

    async def say(self, code: str, text: str) -> Message:
        said = self.kenji.say(await self.post(code), text)
        self.said[code].append(text)
        return said

    async def note(self, code: str, text: str) -> Message:
        said = self.kenji.say(await self.post(code), f"note: {text}")
        self.noted[code].append(text)
        return said

    async def edit(self, code: str, said: Message, text: str) -> None:
        self.kenji.edit(await self.post(code), said, text)

    async def withdraw(self, code: str, said: Message) -> None:
        self.kenji.delete(await self.post(code), said)

    async def claim(self, code: str) -> None:
        await self._press(code, "Claim")

    async def resolve(self, code: str) -> None:
        await self._press(code, "Resolve")
        assert (await self.kenji.submit({})).ok

    async def _press(self, code: str, label: str) -> None:
        post = await self.post(code)
        card = post.messages[post.id]
        await self.discord.until(lambda: _offers(card, label))
        assert (await self.kenji.click(post, card, label)).ok

    # ------------------------------------------------------------------ what Discord does to us

    def be_rude(self) -> None:
        rude = self.discord.mischief.add
        rude(Fault.LOSE_ANSWER, POSTS, times=None, probability=0.06)
        rude(Fault.SERVER_ERROR_AFTER, POSTS, times=None, probability=0.02, status=502)
        rude(Fault.SERVER_ERROR, POSTS, times=None, probability=0.02)
        rude(Fault.RATE_LIMIT, POSTS, times=None, probability=0.02)
        rude(Fault.DUPLICATE, "MESSAGE_CREATE", times=None, probability=0.15, copies=2)

    def refuse_deletions(self) -> None:
        self.discord.mischief.add(Fault.SERVER_ERROR, DELETIONS, times=None, status=500)

    def hold_deletions(self) -> Callable[[], bool]:
        rule = self.discord.mischief.add(Fault.HANG, DELETIONS, times=None, seconds=60)
        return lambda: rule.fired > 0

    def behave(self) -> None:
        self.discord.mischief.clear()


def _offers(card: Message, label: str) -> bool:
    try:
        find(card.components, label)
    except LookupError:
        return False
    return True


@asynccontextmanager
async def discord_desk(*, seed: int = 0) -> AsyncIterator[DiscordDesk]:
    async with DiscordSimulator(limits=False, seed=seed) as discord:
        yield DiscordDesk(discord)
