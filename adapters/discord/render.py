"""From effects to Discord's messages: pure, no network, no store.

A customer's words stand in a code block, in which nothing acts; names and whatever else is not ours are escaped. Only
our own wording is ever markup. Whom a message rings is named on every call (`allowed_mentions`), and is nobody unless
the bridge itself calls them.

Limits: content 2,000, an embed's description 4,096, all embeds of a message 6,000 together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.discord.text import styled
from adapters.discord.text.markup import certain, escape, fenced, units
from bridge.messages import Body, FilePart, TextPart, one_line
from bridge.networks.card import Title, Wording
from bridge.networks.names import NAME
from bridge.networks.splitting import split
from bridge.networks.windows import Choice
from routing.facts import Side

Json = dict[str, Any]

CONTENT = 2_000
"""Characters of a message's content; what is longer is told in several."""

LONG = 3_900
"""Characters of what was said before, in one post: an embed's description takes 4,096."""

HISTORIES = 5
"""Posts of what was said before, the latest of them; the desk page has it from the beginning."""


_MARGIN = 24
"""Characters left for numbers, fences and breaks."""

NO_PREVIEWS = 1 << 2
_HEAD = "%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as Discord takes it. `users` and `roles` are those that it calls, or `everyone` who is there."""

    content: str
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    everyone: bool = False
    files: tuple[FilePart, ...] = ()
    """What is uploaded with it when it is posted. An edit leaves the files as they are."""

    @property
    def changed(self) -> Json:
        """For an edit. What it says now is all that it says."""
        return {
            "content": self.content,
            "embeds": list(self.embeds),
            "components": list(self.components),
            "allowed_mentions": self.allowed,
            "flags": 0 if self.embeds else NO_PREVIEWS,
        }

    @property
    def posted(self) -> Json:
        """For a new message. No previews: nobody's server is asked for one."""
        return self.changed

    @property
    def allowed(self) -> Json:
        """All four are named: what is left out, Discord allows."""
        parse = ["everyone"] if self.everyone else []
        return {"parse": parse, "users": list(self.users), "roles": list(self.roles), "replied_user": False}

    def is_shown_by(self, message: Mapping[str, Any]) -> bool:
        """Whether a message that was read back says this."""
        embeds = message.get("embeds")
        shown = [_told(one) for one in embeds if isinstance(one, Mapping)] if isinstance(embeds, list) else []
        said = certain(str(message.get("content") or ""))
        return said == certain(self.content) and (not self.embeds or shown == [_told(one) for one in self.embeds])


def _told(embed: Mapping[str, Any]) -> str:
    return certain(str(embed.get("description") or ""))


def clock(at: int, style: str = "f") -> str:
    """A time in each reader's own zone and habit. `at` in ms since 1970, UTC."""
    return f"<t:{at // 1000}:{style}>"


def since(at: int) -> str:
    """A time, and how long ago that is: clients count on by themselves."""
    return f"{clock(at, 't')} ({clock(at, 'R')})"


# ------------------------------------------------------------------ what is said in the thread


def files_only(files: Sequence[FilePart], language: str, wording: Wording) -> Rendered:
    """A post more, for files that the one with the words cannot hold."""
    return Rendered(small(wording(language, "post.files", count=str(len(files)))), files=tuple(files))


def said(
    side: Side, body: Body, speaker: str, *, language: str, wording: Wording, others: int = 0
) -> tuple[Rendered, ...]:
    """A message, in as many posts as it needs. `speaker` is the customer as the desk calls them, or the operator's
    public name.

    `others` are attachments that Discord is not given. Operators' words from another face, and notes, say what they
    are.
    """
    count = str(len(body.files) + others)
    words = body.words if body.text else TextPart(wording(language, "post.files", count=count))
    name = escape(one_line(speaker, NAME + 40))
    if side is Side.CUSTOMER:
        head = f"**{name}**"
        return _numbered(head, tuple(map(fenced, in_blocks(words.text, _room(head)))))
    head = small(wording(language, f"post.{side}", name=name))
    return _numbered(head, styled.pieces(words, _room(head), quoted=side is Side.NOTE))


def _room(head: str) -> int:
    return CONTENT - units(head) - _MARGIN


def in_blocks(text: str, room: int) -> list[str]:
    """What fits into one block each. Between ticks a sign may have to stand."""
    return [piece.text for piece in split(TextPart(text), room, _weight)]


def weight_of(text: str) -> int:
    """How much of a post a customer's words take at most, in a block."""
    return sum(map(_weight, text))


def _weight(sign: str) -> int:
    return units(sign) + (sign == "`")


def _numbered(head: str, pieces: Sequence[str]) -> tuple[Rendered, ...]:
    def one(number: int, piece: str) -> Rendered:
        named = head if len(pieces) == 1 else f"{head} ({number}/{len(pieces)})".strip()
        return Rendered(f"{named}\n{piece}" if named else piece)

    return tuple(one(number, piece) for number, piece in enumerate(pieces, 1))


def translation(body: Body, language: str, at: int, wording: Wording) -> tuple[Rendered, ...]:
    """A machine's translation, marked as one. `at`: when its message was written, should others stand between."""
    head = small(wording(language, "post.translation", language=escape(language), time=clock(at)))
    return _numbered(head, styled.pieces(TextPart(body.text), _room(head), quoted=True))


def history(
    said: Sequence[tuple[int, str, TextPart]], language: str, wording: Wording, most: int = HISTORIES
) -> tuple[Rendered, ...]:
    """What was said before, as (when, who, words), in as many posts as it needs: the latest, `most` of them, are shown.

    Each one's words stand in a quote of their own: whatever they look like, they are not what somebody else has said.
    """
    pages = _pages([piece for at, who, words in said for piece in _utterance(at, who, words)])
    label = wording(language, "post.history", count=str(len(said)))
    shown = range(max(0, len(pages) - most), len(pages))

    def one(number: int) -> Rendered:
        name = label if len(shown) == 1 else f"{label} ({number - shown.start + 1}/{len(shown)})"
        more = [small(wording(language, "post.history.more"))] if number == shown.start > 0 else []
        return Rendered(small(name), ({"description": "\n".join((*more, *pages[number]))},))

    return tuple(map(one, shown))


def _utterance(at: int, who: str, words: TextPart) -> list[str]:
    head = f"**{escape(f'{datetime.fromtimestamp(at / 1000, UTC):{_HEAD}} {one_line(who, NAME + 40)}')}**"
    return [f"{head}\n{piece}" for piece in styled.pieces(words, LONG - units(head) - 1, quoted=True)]


def _pages(spoken: Sequence[str]) -> list[list[str]]:
    """What goes into one post each, from the oldest on: what is said meanwhile changes the last one only."""
    pages: list[list[str]] = []
    room = 0
    for piece in spoken:
        needed = units(piece) + 1
        if needed > room:
            pages.append([])
            room = LONG
        pages[-1].append(piece)
        room -= needed
    return pages


# ------------------------------------------------------------------ the bridge's own lines


def small(text: str) -> str:
    """Small and grey, so that it is nobody's words."""
    return "\n".join(f"-# {line}" if line.strip() else line for line in text.split("\n"))


def link(label: str, url: str) -> str:
    """Words of ours that lead somewhere, without a preview."""
    return f"[{escape(label)}](<{url}>)"


def line(
    text: str,
    *,
    users: tuple[str, ...] = (),
    roles: tuple[str, ...] = (),
    everyone: bool = False,
    called: bool = False,
) -> Rendered:
    """One of the bridge's own lines, in Discord's markup. One that calls somebody is as large as what people say."""
    large = called or bool(users) or bool(roles) or everyone
    return Rendered(text if large else small(text), users=users, roles=roles, everyone=everyone)


def asking(text: str, buttons: Sequence[tuple[str, str]], words: TextPart | None = None) -> Rendered:
    """A line with buttons, as (custom id, label). `words` are what it is about, where nothing above shows them."""
    asked = small(text)
    above = f"{styled.pieces(words, _room(asked), quoted=True)[0]}\n" if words is not None and words.text else ""
    return Rendered(f"{above}{asked}", components=row([button(name, label) for name, label in buttons]))


# ------------------------------------------------------------------ components

LABEL = 80
PRIMARY, SECONDARY = 1, 2


def row(components: Sequence[Json]) -> tuple[Json, ...]:
    return ({"type": 1, "components": list(components)},) if components else ()


def button(custom_id: str, label: str, *, primary: bool = False, disabled: bool = False) -> Json:
    shape: Json = {"type": 2, "style": PRIMARY if primary else SECONDARY, "custom_id": custom_id}
    return shape | {"label": one_line(label, LABEL) or "–"} | ({"disabled": True} if disabled else {})


OPTIONS = 25
"""Choices of a menu."""

OPTION = 100
"""Characters of a choice, and of what a menu says before one is made (150)."""


def menu(
    custom_id: str,
    choices: Sequence[Choice],
    *,
    placeholder: str = "",
    chosen: str = "",
    least: int = 1,
    most: int = 1,
) -> Json:
    """A menu of up to 25 choices. In a message a client keeps what was chosen, and tells no second choice of the
    same unless it can be taken back (`least=0`): a window that was closed could not be opened again."""
    options = [
        {"label": one_line(one.text, OPTION) or "–", "value": one.value}
        | ({"default": True} if one.value == chosen else {})
        for one in [one for one in choices if 0 < len(one.value) <= OPTION][:OPTIONS]
    ]
    shape: Json = {"type": 3, "custom_id": custom_id, "options": options}
    shape |= {"min_values": least, "max_values": min(most, len(options))}
    return shape | ({"placeholder": one_line(placeholder, OPTION)} if placeholder else {})


__all__ = ["Rendered", "Title", "Wording", "escape"]
