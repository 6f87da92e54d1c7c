"""Operators in Slack: the simulator in a process of its own, and people who answer in the sessions' threads."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.scenarios.customer import Json
from tests.service import until
from tests.simulators.slack import SlackProcess

CHANNEL = "support"
OPERATORS = ("kenji", "aiko")

QUICK = {"LANES__SEND_DEADLINE": 2, "LANES__QUARANTINE": 3, "LANES__SWEEP": 2}
"""Seconds. The rules are about their order; waiting the real ones out would take minutes."""

UNPACED = {
    "SLACK__RATES__POSTS_PER_SECOND": 1_000,
    "SLACK__RATES__BURST": 1_000,
    "SLACK__RATES__POSTS_PER_MINUTE": 60_000,
    "SLACK__RATES__TIER_MULTIPLIER": 1_000,
}


@dataclass
class SlackDesk:
    """`said`: by session code, what operators wrote in its thread, in their order."""

    slack: SlackProcess
    policy: Path
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _roots: dict[str, str] = field(default_factory=dict)

    def settings(self, mode: str) -> dict[str, str | int]:
        """What the service needs to work with this workspace; `mode` as in slack.mode."""
        state = self.slack.state
        return {
            "SLACK__API_URL": state["api_url"],
            "SLACK__BOT_TOKEN": state["bot_token"],
            "SLACK__APP_TOKEN": state["app_token"],
            "SLACK__SIGNING_SECRET": state["signing_secret"],
            "SLACK__CHANNEL": state["channels"][CHANNEL],
            "SLACK__MODE": mode,
            "POLICY": str(self.policy),
            **QUICK,
            **UNPACED,
        }

    @property
    def signing_secret(self) -> str:
        return str(self.slack.state["signing_secret"])

    @property
    def team(self) -> str:
        return str(self.slack.state["team_id"])

    @property
    def bot(self) -> str:
        return str(self.slack.state["bot_id"])

    @property
    def bot_user(self) -> str:
        return str(self.slack.state["bot_user_id"])

    async def deliver_to(self, url: str) -> None:
        """Events go to this service over signed HTTP."""
        await self.slack.do("deliver", url=f"{url}/slack/events", interactivity_url=f"{url}/slack/interactions")

    async def mischief(self, fault: str, target: str, **options: Any) -> None:
        await self.slack.do("mischief", fault=fault, target=target, **{"times": None, **options})

    async def behave(self) -> None:
        await self.slack.do("mischief", clear=True)

    async def posts(self) -> int:
        """How many posts Slack has taken from the service."""
        return int((await self.slack.do("state"))["posts"])

    async def was_asked(self, method: str) -> bool:
        """Whether the service has called this method."""
        return bool((await self.slack.do("calls", method=method))["calls"])

    # ------------------------------------------------------------------ threads

    async def root(self, code: str) -> str:
        """The ts of the session's thread, once it is there."""

        async def is_there() -> bool:
            found = await self.roots(code)
            self._roots |= {code: found[0]["ts"]} if found else {}
            return bool(found)

        if code not in self._roots:
            await until(is_there, f"{code} has a thread")
        return self._roots[code]

    async def roots(self, code: str) -> list[Json]:
        """What stands in the channel of it, but for the lines that call people there."""
        messages = (await self.slack.do("roots", channel=CHANNEL))["messages"]
        return [one for one in messages if one["seen"].startswith(code) and "@here" not in one["seen"]]

    async def messages(self, code: str) -> list[Json]:
        """The session's thread without its root."""
        found = await self.slack.do("thread", channel=CHANNEL, ts=await self.root(code))
        return list(found["messages"])

    async def shown(self, code: str, begins: str) -> list[str]:
        """What the service posted in the thread that begins like this: a line each, several in a burst's post."""
        seen = [one["seen"].split("\n") for one in await self.messages(code) if one["bot_id"] == self.bot]
        return [line for lines in seen for line in lines if line.startswith(begins)]

    async def say(self, code: str, text: str, person: str = "kenji") -> str:
        """An operator writes in the thread; the message's ts."""
        said = await self.slack.do("say", person=person, channel=CHANNEL, thread_ts=await self.root(code), text=text)
        self.said[code].append(text)
        return str(said["ts"])

    async def edit(self, ts: str, text: str, person: str = "kenji") -> None:
        await self.slack.do("edit", person=person, channel=CHANNEL, ts=ts, text=text)

    async def upload(self, code: str, name: str, content: bytes, person: str = "kenji") -> None:
        options = {"name": name, "base64": base64.b64encode(content).decode(), "thread_ts": await self.root(code)}
        await self.slack.do("upload", person=person, channel=CHANNEL, **options)

    async def press(self, code: str, action: str, person: str = "kenji") -> Json:
        """An operator presses a button of the card."""
        return await self.slack.do("click", person=person, channel=CHANNEL, ts=await self.root(code), action=action)


@asynccontextmanager
async def slack_desk(*, seed: int = 0) -> AsyncIterator[SlackDesk]:
    """A workspace with one channel. What nobody acknowledges, Slack says again each second, not minutes later."""
    async with SlackProcess("--no-limits", "--channel", CHANNEL, "--seed", str(seed)) as slack:
        await slack.do("habits", retry_delays=[0.0, *[1.0] * 300])
        with TemporaryDirectory() as folder:
            policy = Path(folder) / "policy.toml"
            policy.write_text("".join([await _enrolled(slack, person) for person in OPERATORS]), encoding="utf-8")
            yield SlackDesk(slack, policy)


async def _enrolled(slack: SlackProcess, person: str) -> str:
    """The person as the policy's file names an operator: only whom it knows can reply."""
    user = (await slack.do("person", person=person))["id"]
    return f'[operators.{person}]\nnames = {{ en = "{person.title()}" }}\nslack = "{user}"\n\n'
