"""The card as a message: `bridge.networks.card` says what it says and offers, here is how Discord shows it. Pure.

Its first line is the message's content, which telephones and thread lists show; the rest is an embed in the colour of
the state. Limits: 25 fields, a field's name 256 and value 1,024, a footer 2,048, all of an embed 6,000; five buttons in
a row, 25 choices in a menu, custom ids 100.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.discord.refs import MENU, custom_id
from adapters.discord.render import Rendered, button, clock, menu, row
from adapters.discord.text.markup import escape, units
from bridge.messages import one_line
from bridge.networks.card import BUTTONS, Card, Link, Moment, Person, Value, Wording, Words
from bridge.networks.cards import Current
from bridge.networks.names import NAME, Assignee
from bridge.networks.windows import Choice
from bridge.ports import Placed
from routing.ids import OperatorId
from routing.session import State

COLOURS = {
    State.QUEUED: 0xD9822B,
    State.ASSIGNED: 0x2F6FDE,
    State.RESOLVED: 0x2E8B57,
    State.CLOSED: 0x8A8F98,
}
"""Waiting stands out; what is over does not."""

FIELDS = 20
TOGETHER = 3_800
"""Characters of all fields, as they are written: claims of the site's may be many and long."""

LINK = 1_000
"""Characters of a link with its address, which leads nowhere when it is cut: a longer one is left out."""

NOTES = 1_000
"""Characters of a footer."""

LABEL = 40
VALUE = 200
PAGE = 300


def card(current: Current, wording: Wording) -> Rendered:
    """The session's first post in a thread."""
    content, placed = current.content, current.placed
    code, language, topic, worded, name = content.summary
    first = (code, language, one_line(topic, NAME), worded, one_line(name, NAME))
    embed: dict[str, Any] = {
        "color": COLOURS.get(current.state, COLOURS[State.CLOSED]),
        "fields": _fields(content, current.assignee),
    }
    links = next((shown for one in content.background if isinstance(one, Link) and (shown := _link(one))), "")
    notes = [one_line(one.text, PAGE) for one in content.background if isinstance(one, Words)]
    if links:
        embed["description"] = links
    if notes:
        embed["footer"] = {"text": "\n".join(notes)[:NOTES]}
    components = _moved(content, placed, wording) if current.moved else _actions(content, placed, wording)
    return Rendered(" · ".join(map(escape, filter(None, first))), (embed,), components)


def _fields(content: Card, assignee: Callable[[OperatorId], Assignee]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    room = TOGETHER
    for label, value in content.fields[:FIELDS]:
        field = {"name": escape(one_line(label, LABEL)) or "–", "value": _value(value, assignee) or "–", "inline": True}
        room -= units(f"{field['name']}{field['value']}")
        if room < 0:
            break
        made.append(field)
    return made


def _value(value: Value, assignee: Callable[[OperatorId], Assignee]) -> str:
    if isinstance(value, Moment):
        return f"{clock(value.at)}\n{clock(value.at, 'R')}"
    if isinstance(value, Link):
        return _link(value)
    if isinstance(value, Person):
        found = assignee(value.operator)
        return f"<@{found.user}>" if found.user else escape(one_line(found.name, NAME))
    return escape(one_line(value.text, VALUE))


def _link(link: Link) -> str:
    """What is filled into the address is percent-encoded; what could still end it is, too. Empty where it is too long
    for Discord."""
    url = link.url.replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")
    shown = f"[{escape(one_line(link.text, NAME))}](<{url}>)"
    return shown if units(shown) <= LINK else ""


def _actions(content: Card, placed: Placed, wording: Wording) -> tuple[dict[str, Any], ...]:
    language = content.language
    possible, shown = (*content.buttons, *content.menu), content.buttons[:BUTTONS]
    first = content.buttons[0] if content.primary and content.buttons else None
    buttons = [
        button(custom_id(action, placed), wording(language, f"button.{action}"), primary=action is first)
        for action in shown
    ]
    others = [Choice(action, wording(language, f"button.{action}")) for action in possible if action not in shown]
    more = wording(language, "button.more")
    below = row([menu(custom_id(MENU, placed), others, placeholder=more, least=0)]) if others else ()
    return (*row(buttons), *below)


def _moved(content: Card, placed: Placed, wording: Wording) -> tuple[dict[str, Any], ...]:
    """It can be pressed no more, and still names its session: a card is known by its buttons."""
    label = wording(content.language, "card.moved")
    return row([button(custom_id("moved", placed), label, disabled=True)])
