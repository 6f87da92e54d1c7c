"""From effects to Block Kit: pure, no network, no store.

A customer's words stand in `rich_text` text elements, which Slack shows as they are: no mention, link, emoji or
markup in them acts. Names and pages are `plain_text`. Only our own wording is ever Slack's markup.

Limits (Block Kit reference): header 150, section text 3,000, button value 2,000, 50 blocks, chat.update 4,000.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from adapters.slack import styled
from adapters.slack.markup import escape, escaped_within, one_line
from adapters.slack.parse import ACKNOWLEDGE, CLAIM, RESOLVE
from adapters.slack.refs import button_value
from bridge.marks import cut
from bridge.messages import About, Body, TextPart
from bridge.ports import Placed
from bridge.splitting import split
from routing.facts import Side
from routing.ids import Topic
from routing.session import Session, State

Block = dict[str, Any]

TEXT = 4_000
"""Characters of `text`: what chat.update takes. It is for notifications and search; the blocks hold the whole."""

LONG = 8_000
"""Characters of what was said before: one post, of which the latest is what matters."""

PIECE = 11_000
"""Characters of words in one post, as Slack may count them: it takes some 13,200 in all blocks together, and what a
message said before it was changed stands beneath it."""

_ESCAPED = {"&": 5, "<": 4, ">": 4}

UTTERANCES = 100
"""Messages of what was said before; the desk page has them all."""

NAME = 60
HEADER = 150
PAGE = 300
DAY = "{date_short_pretty} "
SHORT_NAME = 12
"""A name in the first words of a notification: a phone shows about forty characters."""


class Wording(Protocol):
    """A sentence of the `thread` face, in a language, with its words filled in."""

    def __call__(self, language: str, key: str, /, **words: str) -> str: ...


Title = Callable[[Topic, str], str]
"""What a topic is called in a language."""


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


@dataclass(frozen=True, slots=True)
class Assignee:
    """Who has the session: a public name, or a Slack user whom the directory does not know, or nobody."""

    name: str = ""
    user: str = ""


def customer_name(about: About, language: str, wording: Wording) -> str:
    """How the desk speaks of the customer."""
    name = one_line(about.name, NAME)
    return wording(language, "customer.named", name=name) if name else wording(language, "customer.unnamed")


def persona(about: About, language: str, wording: Wording) -> str:
    """The name over a customer's own posts. It says whose they are: a customer may be called as the bridge is, or as
    one of the operators."""
    name = one_line(about.name, NAME)
    return wording(language, "post.persona", name=name) if name else wording(language, "customer.unnamed")


# ------------------------------------------------------------------ the card


def card(
    session: Session, about: About, mirror: int, *, assignee: Assignee, wording: Wording, title: Title
) -> Rendered:
    """The session's first post in a thread."""
    language = session.language
    name = customer_name(about, language, wording)
    topic, state = title(session.topic, language), wording(language, f"state.{session.state}")
    headline = " · ".join((session.code, name, language, topic))
    blocks: list[Block] = [
        {"type": "header", "text": _plain(headline[:HEADER])},
        {"type": "section", "fields": _fields(session, state, assignee, wording)},
        {"type": "context", "elements": [_plain(one) for one in _background(session, about, wording)]},
    ]
    if session.mirror.number != mirror:
        blocks.append(_context(wording(language, "card.moved")))
    elif buttons := _buttons(session, mirror, wording):
        blocks.append({"type": "actions", "elements": buttons})
    first_words = (session.code, language, topic, state, one_line(name, SHORT_NAME))
    return Rendered(escaped_within(" · ".join(first_words), TEXT), blocks, inert=True)


def _fields(session: Session, state: str, assignee: Assignee, wording: Wording) -> list[Block]:
    language = session.language
    fields = [_field(wording(language, "card.state"), state)]
    if session.waiting_since is not None:
        fields.append(_moment(wording(language, "card.waiting"), session.waiting_since))
    if session.turn.until is not None:
        fields.append(_moment(wording(language, "card.promised"), session.turn.until))
    fields.append(_assigned(session.language, assignee, wording))
    return [
        *fields,
        *(_field(wording(language, f"card.{label}"), value) for label, value in _special(session, wording)),
    ]


def _special(session: Session, wording: Wording) -> list[tuple[str, str]]:
    """What most sessions do not have: a ladder under way, an identity check, an incident."""
    found: list[tuple[str, str]] = []
    if session.escalation is not None:
        found.append(("escalation", wording(session.language, f"escalation.{session.escalation.why}")))
    if session.check is not None:
        found.append(("check", wording(session.language, f"check.{session.check.state}")))
    if session.incident is not None:
        found.append(("incident", session.incident))
    return found


def _assigned(language: str, assignee: Assignee, wording: Wording) -> Block:
    label = wording(language, "card.assignee")
    if assignee.user:
        return {"type": "mrkdwn", "text": f"{escape(label)}\n<@{assignee.user}>"}
    return _field(label, assignee.name or wording(language, "card.nobody"))


def _field(label: str, value: str) -> Block:
    return _plain(f"{label}\n{value}")


def _moment(label: str, at: int) -> Block:
    return {"type": "mrkdwn", "text": f"{escape(label)}\n{clock(at, DAY)}"}


def clock(at: int, day: str = "") -> str:
    """A time in each reader's own zone; the words after the bar are for clients that cannot."""
    fallback = f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    return f"<!date^{at // 1000}^{day}{{time}}|{fallback}>"


def _background(session: Session, about: About, wording: Wording) -> list[str]:
    known = "card.verified" if session.verified else "card.unverified"
    lines = [wording(session.language, known), one_line(about.page, PAGE), one_line(about.time_zone, NAME)]
    return [line for line in lines if line]


def _buttons(session: Session, mirror: int, wording: Wording) -> list[Block]:
    value = button_value(Placed(session.id, mirror))

    def button(action: str, label: str, *, primary: bool = False) -> Block:
        text = _plain(wording(session.language, f"button.{label}"))
        shape = {"type": "button", "action_id": action, "text": text, "value": value}
        return shape | ({"style": "primary"} if primary else {})

    called = session.escalation is not None and session.escalation.acknowledged_by is None
    first = [button(ACKNOWLEDGE, "acknowledge", primary=True)] if called else []
    if session.state is State.QUEUED:
        return [*first, button(CLAIM, "claim", primary=not called), button(RESOLVE, "resolve")]
    if session.state is State.ASSIGNED:
        return [*first, button(RESOLVE, "resolve", primary=not called)]
    if session.state is State.RESOLVED:
        return [button(CLAIM, "reopen")]
    return []


# ------------------------------------------------------------------ what is said in the thread


def said(
    side: Side, body: Body, speaker: str, *, language: str, wording: Wording, persona: bool = False
) -> tuple[Rendered, ...]:
    """A message, in as many posts as it needs. `speaker` is the customer as the desk calls them, or the operator's
    public name.

    With `persona` the post itself bears the name. Operators' words from another face, and notes, say what they are.
    """
    words = body.words if body.text else TextPart(wording(language, "post.files", count=str(len(body.files))))
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


def history(said: Sequence[tuple[int, str, TextPart]], language: str, wording: Wording) -> Rendered:
    """What was said before, as (when, who, words): one post, the latest of it when it is long.

    Each one's words stand in a quote of their own: whatever they look like, they are not what somebody else has said.
    """
    room, shown = LONG, list[Block]()
    for at, who, words in reversed(said[-UTTERANCES:]):
        if room <= 0:
            break
        latest = words if len(words.text) <= room else cut(words, len(words.text) - room)
        room -= len(latest.text) + len(who)
        head = f"{datetime.fromtimestamp(at / 1000, UTC):%m-%d %H:%M} {who}"
        shown[:0] = [_paragraph(head, bold=True), *styled.elements(latest, quoted=True)]
    label = wording(language, "post.history", count=str(len(said)))
    return Rendered(label, [_context(label), _rich(*shown)], inert=True)


def line(text: str) -> Rendered:
    """One of the bridge's own lines, in Slack's markup: small and grey, so that it is nobody's words."""
    return Rendered(text, [_context(text)])


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
