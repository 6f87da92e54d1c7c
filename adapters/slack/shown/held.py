"""What stands beside words that have not gone to the customer: why, and the buttons that send, keep or undo them.

Below held words it is a line that the whole thread sees; about a note that might have been a reply it is shown to its
author alone. Both name the message, so that a press needs nothing else.
"""

from __future__ import annotations

from math import ceil

from adapters.slack.refs import button_value
from adapters.slack.render import Block, Rendered, Wording, in_pieces, line, quoted
from adapters.slack.text.markup import escape
from bridge.messages import TextPart
from bridge.networks.explanations import Offer
from bridge.ports import Placed
from routing.ids import MessageId
from routing.session import Pending, Session

SEND, KEEP, UNDO = "send", "keep", "undo"
"""The actions of these buttons."""


def asked(session: Session, held: Pending, mirror: int, wording: Wording, words: TextPart | None = None) -> Rendered:
    """The line below held words: of whoever is not enrolled, and of an operator who may still undo. `words` are theirs,
    where nothing above the line shows them."""
    language, about = session.language, (Placed(session.id, mirror), held.message)
    if held.until is None:
        text = wording(language, "held.unknown", author=held.author)
        buttons = [_button(SEND, wording(language, "button.send_as"), *about)]
        buttons.append(_button(KEEP, wording(language, "button.keep"), *about))
    else:
        text = wording(language, "held.undo", seconds=str(ceil((held.until - held.at) / 1000)))
        buttons = [_button(UNDO, wording(language, "button.undo"), *about)]
        buttons.append(_button(SEND, wording(language, "button.send_now"), *about))
    rendered = line(escape(text))
    above = [quoted(in_pieces(words)[0])] if words is not None else []
    return Rendered(rendered.text, [*above, *rendered.blocks, {"type": "actions", "elements": buttons}])


def offer(session: Session, about: Offer, text: str, wording: Wording) -> list[Block]:
    """Said to a note's author: why it stays inside, and the way out."""
    label = wording(session.language, "button.send")
    button = _button(SEND, label, about.placed, about.message)
    return [*line(escape(text)).blocks, {"type": "actions", "elements": [button]}]


def _button(action: str, label: str, placed: Placed, message: MessageId) -> Block:
    text = {"type": "plain_text", "text": label, "emoji": False}
    return {"type": "button", "action_id": action, "text": text, "value": button_value(placed, message)}
