"""What stands beside words that have not gone to the customer: why, and the buttons that send, keep or undo them.

Below held words it is a line that the whole thread sees; about a note that might have been a reply it is shown to its
author alone, where they can be reached so. All name the message, so that a press needs nothing else.
"""

from __future__ import annotations

from math import ceil

from adapters.discord import render
from adapters.discord.refs import custom_id
from adapters.discord.render import Json, Rendered
from bridge.messages import TextPart
from bridge.networks.card import Wording
from bridge.networks.explanations import Offer
from bridge.ports import Placed
from routing.session import Pending, Session

SEND, KEEP, UNDO, OFFER, WITHDRAW = "send", "keep", "undo", "offer", "withdraw"
"""The actions of these buttons. What is offered is sent, too; its line is nobody's but ours to end."""


def asked(session: Session, held: Pending, mirror: int, wording: Wording, words: TextPart | None = None) -> Rendered:
    """The line below held words: of whoever is not enrolled, and of an operator who may still undo. `words` are theirs,
    where nothing above the line shows them."""
    language, about = session.language, (Placed(session.id, mirror), held.message)
    if held.until is None:
        text = wording(language, "held.unknown", author=held.author)
        buttons = [(SEND, wording(language, "button.send_as")), (KEEP, wording(language, "button.keep"))]
    else:
        text = wording(language, "held.undo", seconds=str(ceil((held.until - held.at) / 1000)))
        buttons = [(UNDO, wording(language, "button.undo")), (SEND, wording(language, "button.send_now"))]
    return render.asking(text, [(custom_id(action, *about), label) for action, label in buttons], words)


def offer(session: Session, about: Offer, wording: Wording) -> tuple[Json, ...]:
    """Below what a note's author is told: the way out."""
    label = wording(session.language, "button.send")
    return render.row([render.button(custom_id(OFFER, about.placed, about.message), label)])
