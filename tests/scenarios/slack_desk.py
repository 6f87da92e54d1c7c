"""Kenji in Slack: a channel for each desk of the policy, and a thread in it for each session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.slack.setup.manifest import manifest
from tests.integration.slack_house import settings
from tests.scenarios.reading import stand
from tests.service import Running
from tests.simulators.slack import Channel, Fault, Person, SlackSimulator
from tests.simulators.slack.blocks import buttons_in
from tests.simulators.slack.workspace import Message

UNPACED = {
    "SLACK__RATES__POSTS_PER_SECOND": 1_000,
    "SLACK__RATES__BURST": 1_000,
    "SLACK__RATES__POSTS_PER_MINUTE": 60_000,
    "SLACK__RATES__TIER_MULTIPLIER": 1_000,
}


@dataclass
class SlackDesk:
    """A `tests.scenarios.desks.Desk`. `mode` as in slack.mode: its events come over signed HTTP or over sockets."""

    slack: SlackSimulator
    mode: str = "http"
    network: str = "slack"
    operator: str = "kenji"
    most: int = 39_000
    keeps_operators_words: bool = True
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    noted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    channels: dict[str, Channel] = field(default_factory=dict)

    @property
    def kenji(self) -> Person:
        return self.slack.person("kenji")

    # ------------------------------------------------------------------ the stage

    def settings(self) -> Mapping[str, str | int]:
        return {
            "SLACK__API_URL": self.slack.api_url,
            "SLACK__BOT_TOKEN": self.slack.bot_token,
            "SLACK__APP_TOKEN": self.slack.app_token,
            "SLACK__SIGNING_SECRET": self.slack.signing_secret,
            "SLACK__MODE": self.mode,
            **UNPACED,
        }

    def place(self, desk: str) -> str:
        if desk not in self.channels:
            self.channels[desk] = self.slack.channel(desk)
        return f'network = "slack"\nchannel = "{self.channels[desk].id}"'

    def people(self) -> str:
        return f'[operators.kenji]\nnames = {{ en = "Kenji" }}\ncapacity = 100\nslack = "{self.kenji.id}"\n'

    async def opens(self, processes: Sequence[Running]) -> None:
        if self.mode == "http":
            doors = ("events", "interactions", "commands")
            self.slack.use_http(*(f"{processes[0].url}/slack/{door}" for door in doors))

    # ------------------------------------------------------------------ what stands there

    def roots(self, code: str) -> list[tuple[str, Message]]:
        """Desk and root of the session's threads, oldest first. The lines that call people are none."""
        found = [(desk, root) for desk, place in self.channels.items() for root in self.slack.roots(place)]
        named = [(desk, root, self.slack.seen(root)) for desk, root in found]
        roots = [(desk, root) for desk, root, seen in named if seen.startswith(code) and "@here" not in seen]
        return sorted(roots, key=lambda one: one[1].ts)

    async def comes_to(self, code: str, desk: str) -> None:
        await self.slack.until(lambda: [at for at, _ in self.roots(code)][-1:] == [desk])

    async def root(self, code: str) -> tuple[Channel, Message]:
        """The session's thread, once it is there."""
        await self.slack.until(lambda: self.roots(code))
        desk, root = self.roots(code)[-1]
        return self.channels[desk], root

    async def threads(self, code: str) -> int:
        return len(self.roots(code))

    async def card(self, code: str) -> str:
        _, root = await self.root(code)
        return self.slack.seen(root)

    async def thread(self, code: str) -> Sequence[str]:
        channel, root = await self.root(code)
        return self.slack.thread(channel, root.ts)

    async def messages(self, code: str) -> Sequence[Message]:
        channel, root = await self.root(code)
        return self.slack.replies(channel, root.ts)

    async def shows(self, code: str, *words: str) -> None:
        channel, root = await self.root(code)
        await self.slack.until(lambda: stand(words, self.slack.thread(channel, root.ts)))

    async def everything(self) -> str:
        messages = [one for place in self.channels.values() for one in place.messages.values()]
        return "\n".join(self.slack.seen(one) for one in messages)

    async def files(self, code: str) -> int:
        return sum(len(one.files) for one in await self.messages(code) if one.bot_id)

    # ------------------------------------------------------------------ what Kenji does

    async def say(self, code: str, text: str) -> Message:
        said = await self._type(code, text)
        self.said[code].append(text)
        return said

    async def note(self, code: str, text: str) -> Message:
        said = await self._type(code, f"note: {text}")
        self.noted[code].append(text)
        return said

    async def _type(self, code: str, text: str) -> Message:
        channel, root = await self.root(code)
        return self.kenji.say(channel, text, thread_ts=root.ts)

    async def edit(self, code: str, said: Message, text: str) -> None:
        self.kenji.edit((await self.root(code))[0], said, text)

    async def withdraw(self, code: str, said: Message) -> None:
        self.kenji.delete((await self.root(code))[0], said)

    async def claim(self, code: str) -> None:
        await self._press(code, "claim")

    async def resolve(self, code: str) -> None:
        await self._press(code, "resolve")
        await self.slack.until(self._has_window)
        assert (await self.kenji.submit({})).ok

    async def _press(self, code: str, action: str) -> None:
        channel, root = await self.root(code)
        await self.slack.until(lambda: action in (element["action_id"] for _, element in buttons_in(root.blocks)))
        assert (await self.kenji.click(channel, root, action)).ok

    def _has_window(self) -> bool:
        return any(view.user == self.kenji.id for view in self.slack.workspace.views.values())

    # ------------------------------------------------------------------ what Slack does to us

    def be_rude(self) -> None:
        rude = self.slack.mischief.add
        rude(Fault.LOSE_ANSWER, "chat.postMessage", times=None, probability=0.06)
        rude(Fault.BAD_GATEWAY_AFTER, "chat.postMessage", times=None, probability=0.02)
        rude(Fault.INTERNAL_ERROR, "chat.postMessage", times=None, probability=0.02)
        rude(Fault.RATE_LIMIT, "chat.postMessage", times=None, probability=0.02)
        rude(Fault.DUPLICATE, "message", times=None, probability=0.15, copies=2)
        rude(Fault.RETRY_ACKED, "message", times=None, probability=0.1)

    def refuse_deletions(self) -> None:
        self.slack.mischief.add(Fault.INTERNAL_ERROR, "chat.delete", times=None)

    def hold_deletions(self) -> Callable[[], bool]:
        rule = self.slack.mischief.add(Fault.HANG, "chat.delete", times=None, seconds=60)
        return lambda: rule.fired > 0

    def behave(self) -> None:
        self.slack.mischief.clear()


@asynccontextmanager
async def slack_desk(mode: str = "http", *, seed: int = 0) -> AsyncIterator[SlackDesk]:
    """The app may do what our own manifest asks for. What nobody acknowledges, Slack says again each second, not
    minutes later."""
    async with SlackSimulator(limits=False, seed=seed) as slack:
        slack.install(
            manifest(settings(slack), "http://127.0.0.1")
        )  # it may do what our own manifest asks for, no more
        slack.habits.retry_delays = (0.0, *[1.0] * 300)
        yield SlackDesk(slack, mode)
