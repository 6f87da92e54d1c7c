"""The card as Block Kit: `bridge.networks.card` says what it says and offers, here is how Slack shows it. Pure.

Limits (Block Kit reference): header 150, 10 fields in a section of 2,000 characters each, 10 elements in a context, 25
in actions, 5 options in an overflow menu, option text 75 and value 150.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapters.slack.refs import button_value
from adapters.slack.render import DAY, HEADER, PAGE, SHORT_NAME, TEXT, Block, Rendered, clock
from adapters.slack.text.markup import escape, escaped_within
from bridge.messages import one_line
from bridge.networks.card import Action, Card, Link, Moment, Person, Value, Wording, Words
from bridge.networks.cards import Current
from bridge.networks.names import NAME, Assignee
from bridge.ports import Placed
from routing.ids import OperatorId

MENU = "menu"
"""The action of the menu: what was chosen stands in the option's value."""

FIELDS = 10
CLAIM_FIELDS = 10
LABEL = 40
VALUE = 200
OVERFLOW = 5
TOPIC = 24
"""Characters of a topic in the first words of a notification."""


def card(current: Current, wording: Wording) -> Rendered:
    """The session's first post in a thread."""
    content = current.content
    code, language, topic, state, name = content.summary
    first_words = (code, language, one_line(topic, TOPIC), state, one_line(name, SHORT_NAME))
    headline = " · ".join((code, one_line(content.name, NAME), language, one_line(content.topic, NAME)))
    blocks: list[Block] = [{"type": "header", "text": _plain(headline[:HEADER])}]
    fields = [_field(label, value, current.assignee) for label, value in content.fields][: FIELDS + CLAIM_FIELDS]
    blocks += [{"type": "section", "fields": fields[start : start + FIELDS]} for start in range(0, len(fields), FIELDS)]
    blocks.append({"type": "context", "elements": [_background(one) for one in content.background]})
    if current.moved:
        blocks.append({"type": "context", "elements": [_plain(wording(language, "card.moved"))]})
    elif content.buttons:
        blocks.append({"type": "actions", "elements": _actions(content, current.placed, wording)})
    return Rendered(escaped_within(" · ".join(first_words), TEXT), blocks, inert=True)


def _field(label: str, value: Value, assignee: Callable[[OperatorId], Assignee]) -> Block:
    name = one_line(label, LABEL)
    if isinstance(value, Moment):
        return _mrkdwn(f"{escape(name)}\n{clock(value.at, DAY)}")
    if isinstance(value, Link):
        return _mrkdwn(f"{escape(name)}\n{_link(value)}")
    if isinstance(value, Person):
        found = assignee(value.operator)
        if found.user:
            return _mrkdwn(f"{escape(name)}\n<@{found.user}>")
        return _plain(f"{name}\n{one_line(found.name, NAME)}")
    return _plain(f"{name}\n{one_line(value.text, VALUE)}")


def _background(line: Words | Link) -> Block:
    return _mrkdwn(_link(line)) if isinstance(line, Link) else _plain(one_line(line.text, PAGE))


def _link(link: Link) -> str:
    """What is filled into the address is percent-encoded, so nothing in it ends the control sequence."""
    return f"<{escape(link.url)}|{escape(link.text)}>"


def _actions(content: Card, placed: Placed, wording: Wording) -> Sequence[Block]:
    elements = [
        _button(action, content.language, placed, wording, primary=content.primary and place == 0)
        for place, action in enumerate(content.buttons)
    ]
    return [*elements, _menu(content, placed, wording)] if content.menu else elements


def _button(action: Action, language: str, placed: Placed, wording: Wording, *, primary: bool) -> Block:
    shape = {
        "type": "button",
        "action_id": action.value,
        "text": _plain(wording(language, f"button.{action}")),
        "value": button_value(placed),
    }
    return shape | ({"style": "primary"} if primary else {})


def _menu(content: Card, placed: Placed, wording: Wording) -> Block:
    """Five fit under the dots; more need a list with a name of its own."""
    language = content.language
    options = [
        {"text": _plain(wording(language, f"button.{action}")), "value": button_value(placed, choice=action.value)}
        for action in content.menu
    ]
    if len(options) <= OVERFLOW:
        return {"type": "overflow", "action_id": MENU, "options": options}
    more = _plain(wording(language, "button.more"))
    return {"type": "static_select", "action_id": MENU, "placeholder": more, "options": options}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text or "–", "emoji": False}
