"""What stands outside of each network: a platform as people see it and as it fails, or the built-in desk's own page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from routing.ids import ThreadRef
from tests.scenarios.console_desk import ConsoleDesk
from tests.simulators.discord import Channel as DiscordChannel
from tests.simulators.discord import DiscordSimulator
from tests.simulators.discord import Fault as DiscordFault
from tests.simulators.slack import Fault as SlackFault
from tests.simulators.slack import SlackSimulator
from tests.simulators.slack.workspace import Message as SlackMessage


class Outside(Protocol):
    """Where people read, and Kenji writes. A thread is named by its reference."""

    async def card(self, thread: ThreadRef) -> str: ...
    async def said(self, thread: ThreadRef) -> list[str]:
        """What people read beneath the card."""
        ...

    async def everything(self, thread: ThreadRef) -> str:
        """Whatever is left of it."""
        ...

    async def acts(self, thread: ThreadRef) -> list[str]:
        """What the customer's words set off: whose telephone rang, what can be pressed."""
        ...

    async def say(self, thread: ThreadRef, text: str) -> Any: ...
    async def note(self, thread: ThreadRef, text: str) -> Any: ...
    async def edit(self, thread: ThreadRef, said: Any, text: str) -> None: ...
    async def delete(self, thread: ThreadRef, said: Any) -> None: ...
    def twice(self) -> None:
        """The next message of somebody's is told of twice."""
        ...


class Platform(Outside, Protocol):
    """Somebody else's, which fails."""

    def threads(self) -> int: ...
    def lose_answer(self) -> None:
        """Of the next post: it is done, and nobody is told."""
        ...

    def lose_request(self) -> None: ...
    def be_slow(self, seconds: float) -> Callable[[], bool]:
        """The next post is; the answer says whether it has come."""
        ...

    def be_busy(self, seconds: float) -> None: ...
    def forbid(self) -> None:
        """The desk's place takes no posts."""
        ...

    def go_away(self) -> None: ...
    def come_back(self) -> None: ...
    def forget(self) -> None:
        """Whatever it remembers of what was sent a moment ago."""
        ...


# ------------------------------------------------------------------ Slack


@dataclass
class OnSlack:
    slack: SlackSimulator
    channel: Any

    def _root(self, thread: ThreadRef) -> SlackMessage:
        return self.slack.message(self.channel, thread.split(":")[2])

    def threads(self) -> int:
        return len(self.slack.roots(self.channel))

    async def card(self, thread: ThreadRef) -> str:
        return self.slack.seen(self._root(thread))

    async def said(self, thread: ThreadRef) -> list[str]:
        return self.slack.thread(self.channel, self._root(thread).ts)

    async def everything(self, thread: ThreadRef) -> str:
        del thread
        return "\n".join(self.slack.seen(one) for one in self.channel.messages.values())

    async def acts(self, thread: ThreadRef) -> list[str]:
        del thread
        return [ping.target or ping.kind for one in self.channel.messages.values() for ping in one.pings]

    async def say(self, thread: ThreadRef, text: str) -> Any:
        return self.slack.person("kenji").say(self.channel, text, thread_ts=self._root(thread).ts)

    async def note(self, thread: ThreadRef, text: str) -> Any:
        return await self.say(thread, f"note: {text}")

    async def edit(self, thread: ThreadRef, said: Any, text: str) -> None:
        self.slack.person("kenji").edit(self.channel, said, text)

    async def delete(self, thread: ThreadRef, said: Any) -> None:
        self.slack.person("kenji").delete(self.channel, said)

    def twice(self) -> None:
        self.slack.mischief.add(SlackFault.DUPLICATE, "message")

    def lose_answer(self) -> None:
        self.slack.mischief.add(SlackFault.LOSE_ANSWER, "chat.postMessage")

    def lose_request(self) -> None:
        self.slack.mischief.add(SlackFault.LOSE_REQUEST, "chat.postMessage")

    def be_slow(self, seconds: float) -> Callable[[], bool]:
        rule = self.slack.mischief.add(SlackFault.SLOW, "chat.postMessage", seconds=seconds)
        return lambda: rule.fired > 0

    def be_busy(self, seconds: float) -> None:
        self.slack.mischief.add(SlackFault.RATE_LIMIT, "chat.postMessage", seconds=seconds)

    def forbid(self) -> None:
        self.slack.mischief.add(SlackFault.ERROR, "chat.postMessage", error="is_archived")

    def go_away(self) -> None:
        self.slack.go_down()

    def come_back(self) -> None:
        self.slack.come_back()

    def forget(self) -> None:
        """It remembers nothing."""


# ------------------------------------------------------------------ Discord

POSTS = ("POST /channels/{channel_id}/messages", "POST /channels/{channel_id}/threads")


@dataclass
class OnDiscord:
    discord: DiscordSimulator
    channel: DiscordChannel

    def _thread(self, thread: ThreadRef) -> Any:
        return self.discord.guild.threads[thread.split(":")[1]]

    def _places(self) -> list[Any]:
        return [self.channel, *self.discord.threads(self.channel)]

    def threads(self) -> int:
        return len(self.discord.threads(self.channel))

    async def card(self, thread: ThreadRef) -> str:
        there = self._thread(thread)
        return self.discord.seen(there.messages.get(there.id) or self.channel.messages[there.id])

    async def said(self, thread: ThreadRef) -> list[str]:
        there = self._thread(thread)
        return [self.discord.seen(one) for one in self.discord.messages(there) if one.id != there.id]

    async def everything(self, thread: ThreadRef) -> str:
        del thread
        return "\n".join(line for place in self._places() for line in (place.name, *self.discord.read(place)))

    async def acts(self, thread: ThreadRef) -> list[str]:
        del thread
        messages = [one for place in self._places() for one in place.messages.values()]
        return [ping.target or ping.kind for one in messages for ping in one.pings]

    async def say(self, thread: ThreadRef, text: str) -> Any:
        return self.discord.person("kenji").say(self._thread(thread), text)

    async def note(self, thread: ThreadRef, text: str) -> Any:
        return await self.say(thread, f"note: {text}")

    async def edit(self, thread: ThreadRef, said: Any, text: str) -> None:
        self.discord.person("kenji").edit(self._thread(thread), said, text)

    async def delete(self, thread: ThreadRef, said: Any) -> None:
        self.discord.person("kenji").delete(self._thread(thread), said)

    def twice(self) -> None:
        self.discord.mischief.add(DiscordFault.DUPLICATE, "MESSAGE_CREATE")

    def _strike(self, fault: DiscordFault, **more: Any) -> Callable[[], bool]:
        """The next post, whichever kind it is; the answer says whether it has come."""
        rules = [self.discord.mischief.add(fault, route, **more) for route in POSTS]
        for rule, other in zip(rules, reversed(rules), strict=True):
            rule.where = lambda _subject, other=other: not other.fired
        return lambda: any(rule.fired for rule in rules)

    def lose_answer(self) -> None:
        self._strike(DiscordFault.LOSE_ANSWER)

    def lose_request(self) -> None:
        self._strike(DiscordFault.LOSE_REQUEST)

    def be_slow(self, seconds: float) -> Callable[[], bool]:
        return self._strike(DiscordFault.SLOW, seconds=seconds)

    def be_busy(self, seconds: float) -> None:
        self._strike(DiscordFault.RATE_LIMIT, seconds=seconds)

    def forbid(self) -> None:
        self._strike(DiscordFault.REFUSE, status=403, code=50013)

    def go_away(self) -> None:
        self.discord.go_down()

    def come_back(self) -> None:
        self.discord.come_back()

    def forget(self) -> None:
        self.discord.nonces.forget()


# ------------------------------------------------------------------ the built-in desk


@dataclass
class AtTheDesk:
    """Over the page's own HTTP. There is nothing between us and what it shows, so it fails with the store only."""

    desk: ConsoleDesk

    async def card(self, thread: ThreadRef) -> str:
        return await self.desk.card(await self._code(thread))

    async def said(self, thread: ThreadRef) -> list[str]:
        return list(await self.desk.thread(await self._code(thread)))

    async def everything(self, thread: ThreadRef) -> str:
        return str(await self.desk.look(await self._code(thread)))

    async def acts(self, thread: ThreadRef) -> list[str]:
        """The page draws words as text, but for their marks."""
        customers = [line for line in await self.desk.lines(await self._code(thread)) if line["side"] == "customer"]
        return [mark["kind"] for line in customers for part in line["parts"] or () for mark in part.get("marks", ())]

    async def say(self, thread: ThreadRef, text: str) -> str:
        return await self.desk.say(await self._code(thread), text)

    async def note(self, thread: ThreadRef, text: str) -> str:
        return await self.desk.note(await self._code(thread), text)

    async def edit(self, thread: ThreadRef, said: str, text: str) -> None:
        await self.desk.edit(await self._code(thread), said, text)

    async def delete(self, thread: ThreadRef, said: str) -> None:
        await self.desk.withdraw(await self._code(thread), said)

    def twice(self) -> None:
        self.desk.copies = 2

    async def _code(self, thread: ThreadRef) -> str:
        """What people call the session; `network.py` names its thread by its id."""
        session = thread.partition("/")[0]
        code = str((await self.desk.client.look(session))["row"]["code"])
        self.desk.client.known[code] = session
        return code
