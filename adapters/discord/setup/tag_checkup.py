"""What `doctor` finds of a forum's tags: which are missing, which stand twice, and which only moderators may set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.discord.places.channels import Channel
from adapters.discord.places.forum_tags import DEFINED, ForumTags, folded
from adapters.discord.places.permissions import P, Permission
from bridge.doctor import Finding
from routing.policy import Desk


def forum_tags(
    channel: Channel, desks: Sequence[Desk], tags: ForumTags, allowed: Permission | None
) -> Iterator[Finding]:
    """`desks` are those whose channel it is; `allowed` is what the bot may do there (None: everything)."""
    language = next((one for desk in desks for one in desk.languages), "en")
    spoken = {one for desk in desks for one in desk.languages}
    topics = [one for desk in desks for one in desk.topics]
    wanted = tags.advised(language, spoken if len(spoken) > 1 else (), dict.fromkeys(topics))
    present = [folded(tag.name) for tag in channel.tags]
    lacking = [name for name, names in wanted if not names.intersection(present)]
    if lacking:
        yield Finding("warn", f"#{channel.name} has no tag for: {', '.join(lacking)}", _room(channel, len(lacking)))
    if channel.needs_tag and len(lacking) == len(wanted):
        mend = "make the tags, or switch “Require people to select tags when posting” off in the forum"
        yield Finding("fail", f"#{channel.name} wants a tag on each post, and has none that a session could have", mend)
    for name, names in wanted:
        double = [tag.name for tag in channel.tags if folded(tag.name) in names]
        if len(double) > 1:
            told = f"#{channel.name} has {len(double)} tags for {name}: only the first is set ({', '.join(double)})"
            yield Finding("warn", told, "delete the others in the forum's settings, under “Tags”")
    moderated = [tag.name for tag in channel.tags if tag.moderated]
    if moderated and allowed is not None and P.MANAGE_THREADS not in allowed:
        mend = "give the bot “Manage Posts” there, or let everybody set them"
        yield Finding("warn", f"#{channel.name}: only moderators set the tags {', '.join(moderated)}", mend)


def _room(channel: Channel, lacking: int) -> str:
    free = DEFINED - len(channel.tags)
    made = "make them in the forum's settings, under “Tags”, in whichever of our four languages"
    return made if lacking <= free else f"{made}; a forum has {DEFINED} at most, and {free} are free"
