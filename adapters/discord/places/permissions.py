"""What the bot has to be allowed, and what somebody may do where: roles, then the channel's overwrites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from functools import reduce
from operator import or_

from adapters.discord.heard.shape import Given, garbled
from bridge.files import MIB


class Permission(IntFlag):
    """Discord's bits, those that matter to us; others are kept as they come."""

    ADMINISTRATOR = 1 << 3
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    MANAGE_WEBHOOKS = 1 << 29
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38


P = Permission
NOTHING = P(0)


@dataclass(frozen=True, slots=True)
class Need:
    """Why the bot has to be allowed something, and what Discord calls it in a text channel and in a forum."""

    purpose: str
    name: str
    in_forum: str = ""
    text_only: bool = False
    vital: bool = True

    def named(self, *, forum: bool) -> str:
        return self.in_forum if forum and self.in_forum else self.name


NEEDS: Mapping[Permission, Need] = {
    P.VIEW_CHANNEL: Need("see the desk's channel, and hear what is written there", "View Channel"),
    P.SEND_MESSAGES: Need("post a session's card; in a forum, open its post", "Send Messages", "Create Posts"),
    P.CREATE_PUBLIC_THREADS: Need("open a session's thread", "Create Public Threads", text_only=True),
    P.SEND_MESSAGES_IN_THREADS: Need(
        "show what the customer writes", "Send Messages in Threads", "Send Messages in Posts"
    ),
    P.MANAGE_THREADS: Need(
        "wake archived threads, write in locked ones, set moderators' tags, and delete what is erased",
        "Manage Threads",
        "Manage Posts",
    ),
    P.READ_MESSAGE_HISTORY: Need("find out what became of a post, and what was missed", "Read Message History"),
    P.ATTACH_FILES: Need("show customers' files", "Attach Files"),
    P.EMBED_LINKS: Need("show what was said before in a frame", "Embed Links"),
    P.ADD_REACTIONS: Need("show customers' reactions, and mark what was not sent", "Add Reactions", vital=False),
    P.MENTION_EVERYONE: Need(
        "call everybody at the desk, where the policy says so", "Mention @everyone, @here, and All Roles", vital=False
    ),
}
"""All that is asked for. What an unvital one is for goes on without it, unheard."""

INVITED_WITH = reduce(or_, NEEDS)


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a role or a member is given and refused in one channel."""

    allow: Permission
    deny: Permission


Overwrites = Mapping[str, Overwrite]


@dataclass(frozen=True, slots=True)
class Server:
    """`roles`: what each one's holders may do; @everyone's has the server's own id. `tier`: how far it is boosted."""

    id: str
    owner: str
    roles: Mapping[str, Permission]
    tier: int = 0

    @classmethod
    def of(cls, told: object) -> Server:
        given = Given.of(told, "guild")
        roles = {one.id("id", must=True): bits(one, "permissions") for one in given.objects("roles")}
        return cls(given.id("id", must=True), given.id("owner_id"), roles, given.number("premium_tier"))

    @property
    def file_limit(self) -> int:
        """Bytes of one file."""
        return {2: 50 * MIB, 3: 100 * MIB}.get(self.tier, 10 * MIB)

    def granted(self, roles: Iterable[str]) -> Permission:
        """Channels aside."""
        return reduce(or_, (self.roles.get(one, NOTHING) for one in (self.id, *roles)), NOTHING)


def bits(given: Given, name: str) -> Permission:
    """Discord writes them as a decimal text, and wrote numbers once."""
    found = given.value.get(name)
    text = str(found) if type(found) is int else given.text(name, must=True)
    if not (text.isascii() and text.isdigit() and len(text) <= 30):
        raise garbled(f"{given.where}.{name}", "is no set of permissions")
    return P(int(text))


def overwrites_of(channel: Given) -> Overwrites:
    found = channel.objects("permission_overwrites")
    return {one.id("id", must=True): Overwrite(bits(one, "allow"), bits(one, "deny")) for one in found}


def may(server: Server, overwrites: Overwrites, user: str, roles: Iterable[str]) -> Permission | None:
    """What a member may do in a channel; None: everything, as the owner and administrators may."""
    held = tuple(one for one in roles if one != server.id)
    base = server.granted(held)
    if P.ADMINISTRATOR in base or (user and user == server.owner):
        return None
    for layer in ((server.id,), held, (user,)):
        chosen = [overwrites[one] for one in layer if one in overwrites]
        base &= ~reduce(or_, (one.deny for one in chosen), NOTHING)
        base |= reduce(or_, (one.allow for one in chosen), NOTHING)
    return base


def is_public(server: Server, overwrites: Overwrites) -> bool:
    """Whether anybody on the server can read along: @everyone, no role besides."""
    found = may(server, overwrites, "", ())
    return found is None or P.VIEW_CHANNEL in found


def missing(found: Permission | None, *, forum: bool) -> list[Permission]:
    """What the bot needs in a channel and is not allowed. Where it cannot even see it, only that."""
    if found is None:
        return []
    lacking = [one for one, need in NEEDS.items() if one not in found and not (forum and need.text_only)]
    return [P.VIEW_CHANNEL] if P.VIEW_CHANNEL in lacking else lacking
