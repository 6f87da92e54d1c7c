"""From effects to Block Kit: pure, no network, no store.

A customer's words stand in `rich_text` text elements, which Slack shows as they are: no mention, link, emoji or
markup in them acts. Names and pages are `plain_text`. Only our own wording is ever Slack's markup.

Limits (Block Kit reference): header 150, section text 3,000, button value 2,000, 50 blocks, chat.update 4,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.slack.text import styled
from adapters.slack.text.markup import escape, escaped_within
from bridge.messages import Body, TextPart
from bridge.networks.card import Title, Wording
from bridge.networks.splitting import split
from routing.facts import Side

Block = dict[str, Any]

TEXT = 4_000
"""Characters of `text`: what chat.update takes. It is for notifications and search; the blocks hold the whole."""

LONG = 8_000
"""Characters of what was said before, in one post."""

HISTORIES = 5
"""Posts of what was said before, the latest of them: whoever goes on has what was said lately whole before them, and
the desk page has it from the beginning."""

PIECE = 11_000
"""Characters of words in one post, as Slack may count them: it takes some 13,200 in all blocks together, and what a
message said before it was changed stands beneath it."""

_ESCAPED = {"&": 5, "<": 4, ">": 4}

UTTERANCES = 100
"""Messages of what was said before, in one post."""

HEADER = 150
PAGE = 300
DAY = "{date_short_pretty} "
SHORT_NAME = 12
"""A name in the first words of a notification: a phone shows about forty characters."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as chat.postMessage and chat.update take it."""

    text: str
    blocks: list[Block]
    inert: bool = False
    """Whether `text` shows a customer's words: Slack is told to see no markup in it."""

    @property
    def changed(self) -> dict[str, Any]:
        """For chat.update. With `parse=none` addresses in `text` stay text."""
        return {"text": self.text, "blocks": self.blocks, "parse": "none", "link_names": False}

    @property
    def posted(self) -> dict[str, Any]:
        """For chat.postMessage. No unfurling: nobody's server is asked for a preview."""
        quiet: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
        return self.changed | quiet | ({"mrkdwn": False} if self.inert else {})


def clock(at: int, day: str = "") -> str:
    """A time in each reader's own zone; the words after the bar are for clients that cannot."""
    fallback = f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    return f"<!date^{at // 1000}^{day}{{time}}|{fallback}>"


# ------------------------------------------------------------------ what is said in the thread


def said(
    side: Side, body: Body, speaker: str, *, language: str, wording: Wording, persona: bool = False, others: int = 0
) -> tuple[Rendered, ...]:
    """A message, in as many posts as it needs. `speaker` is the customer as the desk calls them, or the operator's
    public name.

    `others` are attachments that Slack is not given. With `persona` the post itself bears the name. Operators'
    words from another face, and notes, say what they are.
    """
    count = str(len(body.files) + others)
    words = body.words if body.text else TextPart(wording(language, "post.files", count=count))
    pieces = in_pieces(words)

    def one(number: int, piece: TextPart) -> Rendered:
        name = speaker if len(pieces) == 1 else f"{speaker} ({number}/{len(pieces)})"
        if side is Side.CUSTOMER:
            lead = [] if persona else [_paragraph(name, bold=True)]
            blocks = [_rich(*lead, _paragraph(piece.text))]
        else:
            lead = [_context(wording(language, f"post.{side}", name=escape(name)))]
            blocks = [*lead, _rich(*styled.elements(piece, quoted=side is Side.NOTE))]
        return Rendered(escaped_within(f"{name}: {piece.text}", TEXT), blocks, inert=True)

    return tuple(one(number, piece) for number, piece in enumerate(pieces, 1))


def in_pieces(words: TextPart) -> tuple[TextPart, ...]:
    """What fits into one post each, by the most that Slack may count."""
    return split(words, PIECE, _weight)


def weight_of(text: str) -> int:
    """How much of a post it takes, in characters as Slack may count them."""
    return sum(map(_weight, text))


def _weight(sign: str) -> int:
    """Slack stores `& < >` escaped, and counts as JavaScript does."""
    return _ESCAPED.get(sign) or (2 if sign > "\uffff" else 1)


def translation(body: Body, language: str, at: int, wording: Wording) -> tuple[Rendered, ...]:
    """A machine's translation, marked as one. `at`: when its message was written, should others stand between."""
    pieces = in_pieces(body.words)

    def one(number: int, piece: TextPart) -> Rendered:
        label = wording(language, "post.translation", language=language, time=clock(at))
        label = label if len(pieces) == 1 else f"{label} ({number}/{len(pieces)})"
        blocks = [_context(label), _rich(_quote(piece.text))]
        return Rendered(escaped_within(piece.text, TEXT), blocks, inert=True)

    return tuple(one(number, piece) for number, piece in enumerate(pieces, 1))


def history(
    said: Sequence[tuple[int, str, TextPart]], language: str, wording: Wording, most: int = HISTORIES
) -> tuple[Rendered, ...]:
    """What was said before, as (when, who, words), in as many posts as it needs: the latest, `most` of them, are shown.

    Each one's words stand in a quote of their own: whatever they look like, they are not what somebody else has said.
    """
    pages = _pages([(_head(at, who), piece) for at, who, words in said for piece in split(words, LONG, _weight)])
    label = wording(language, "post.history", count=str(len(said)))
    shown = range(max(0, len(pages) - most), len(pages))

    def one(number: int) -> Rendered:
        name = label if len(shown) == 1 else f"{label} ({number - shown.start + 1}/{len(shown)})"
        more = [_context(wording(language, "post.history.more"))] if number == shown.start > 0 else []
        spoken = [[_paragraph(head, bold=True), *styled.elements(words, quoted=True)] for head, words in pages[number]]
        return Rendered(name, [_context(name), *more, _rich(*(part for parts in spoken for part in parts))], inert=True)

    return tuple(map(one, range(len(pages))))


def _head(at: int, who: str) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%m-%d %H:%M} {who}"


def _pages(spoken: Sequence[tuple[str, TextPart]]) -> list[list[tuple[str, TextPart]]]:
    """What goes into one post each, from the oldest on: what is said meanwhile changes the last one only."""
    pages: list[list[tuple[str, TextPart]]] = []
    room = 0
    for head, words in spoken:
        needed = weight_of(words.text) + weight_of(head)
        if needed > room or len(pages[-1]) >= UTTERANCES:
            pages.append([])
            room = max(LONG, needed)
        pages[-1].append((head, words))
        room -= needed
    return pages


def line(text: str) -> Rendered:
    """One of the bridge's own lines, in Slack's markup: small and grey, so that it is nobody's words."""
    return Rendered(text, [_context(text)])


def quoted(words: TextPart) -> Block:
    """Words in a quote of their own."""
    return _rich(*styled.elements(words, quoted=True))


def _rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def _paragraph(text: str, *, bold: bool = False) -> Block:
    element: Block = {"type": "text", "text": text}
    return {"type": "rich_text_section", "elements": [element | ({"style": {"bold": True}} if bold else {})]}


def _quote(text: str) -> Block:
    return {"type": "rich_text_quote", "elements": [{"type": "text", "text": text}]}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


__all__ = ["Rendered", "Title", "Wording"]
