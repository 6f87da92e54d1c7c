"""Discord on a bad day: real HTTP and WebSockets on a loopback port, for the unmodified discord.py.

It is as strict as Discord (permissions, intents, limits shown and hidden, archived threads) and as rude (lost answers,
replays, deaf sockets, malformed events); the facts are those of Discord's documentation and of running discord.py.

    async with DiscordSimulator() as discord:
        support = discord.channel("support-ja", "forum", tags=["open", "waiting"])
        kenji = discord.person("kenji")
        discord.mischief.add(Fault.LOSE_ANSWER, "POST /channels/{channel_id}/messages")
        …                                                   # the app under test posts, and hears nothing
        await discord.until(lambda: discord.threads(support))
        kenji.say(discord.threads(support)[0], "お待たせしました")
        await discord.events.settled()

As a process of its own: `python -m tests.simulators.discord`, with its powers under `/_sim/` (see `control`),
and `DiscordProcess` to start and drive it.
"""

from .guild import Channel, Message, Ping, Thread
from .markdown import Act, acts_in, pings_in
from .mischief import Fault, Rule
from .people import Person
from .permissions import Permission
from .remote import DiscordProcess
from .simulator import DiscordSimulator

__all__ = [
    "Act", "Channel", "DiscordProcess", "DiscordSimulator", "Fault", "Message", "Permission", "Person", "Ping", "Rule",
    "Thread", "acts_in", "pings_in",
]  # fmt: skip
