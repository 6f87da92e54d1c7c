"""Slack on a bad day: real HTTP and WebSockets on a loopback port, for the unmodified slack_sdk.

It is as strict as Slack (scopes, membership, limits, Block Kit, threads) and as rude (lost answers, duplicates,
retries, reordering, deaf sockets); the facts are those of Slack's documentation and of running its SDKs.

    async with SlackSimulator() as slack:
        support = slack.channel("support-ja")
        kenji = slack.person("kenji")
        slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage")
        …                                                   # the app under test posts, and hears nothing
        await slack.until(lambda: slack.roots(support))
        kenji.say(support, "お待たせしました", thread_ts=slack.roots(support)[0].ts)
        await slack.events.settled()

As a process of its own: `python -m tests.simulators.slack`, with its powers under `/_sim/` (see `control`),
and `SlackProcess` to start and drive it.
"""

from .mischief import Fault, Rule
from .people import Person
from .remote import SlackProcess
from .simulator import SlackSimulator
from .workspace import Channel, Link, Message, Ping

__all__ = ["Channel", "Fault", "Link", "Message", "Person", "Ping", "Rule", "SlackProcess", "SlackSimulator"]
