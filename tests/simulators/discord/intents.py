"""Gateway intents: what a session asked to hear, and which of them an application must be allowed."""

from enum import IntFlag


class Intent(IntFlag):
    """Discord's bits."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_MODERATION = 1 << 2
    GUILD_EXPRESSIONS = 1 << 3
    GUILD_INTEGRATIONS = 1 << 4
    GUILD_WEBHOOKS = 1 << 5
    GUILD_INVITES = 1 << 6
    GUILD_VOICE_STATES = 1 << 7
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15
    GUILD_SCHEDULED_EVENTS = 1 << 16
    AUTO_MODERATION_CONFIGURATION = 1 << 20
    AUTO_MODERATION_EXECUTION = 1 << 21
    GUILD_MESSAGE_POLLS = 1 << 24
    DIRECT_MESSAGE_POLLS = 1 << 25


ALWAYS = Intent(0)
"""Of events that every session hears."""
PRIVILEGED = {
    "members": (Intent.GUILD_MEMBERS, 1 << 15),
    "presences": (Intent.GUILD_PRESENCES, 1 << 13),
    "message_content": (Intent.MESSAGE_CONTENT, 1 << 19),
}
"""By the name of the switch in the application's settings: its intent, and the flag that the application then has."""

KNOWN = int(sum(Intent))


def allowed(wanted: int, switched_on: set[str]) -> bool:
    """Whether an application with these switches may have these intents (else close code 4014)."""
    return not any(wanted & intent and name not in switched_on for name, (intent, _) in PRIVILEGED.items())


def app_flags(switched_on: set[str]) -> int:
    return sum(flag for name, (_, flag) in PRIVILEGED.items() if name in switched_on)
