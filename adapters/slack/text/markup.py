"""Slack's written form of text: escaping what goes out, and what Slack itself says of emoji.

A customer's words are shown by `rich_text` blocks, whose text elements mean nothing but themselves; only the `text`
beside them (phones' notifications) is Slack's markup, and there `& < >` are escaped. What operators typed is read by
`richtext`, or by `mrkdwn` where it came without blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.slack.text.emoji import characters


def escape(text: str) -> str:
    """As Slack asks for: these three characters, nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escaped_within(text: str, limit: int) -> str:
    """The escaped text, shortened to `limit` characters without cutting an entity in two."""
    whole = escape(text[:limit])
    while len(whole) > limit:
        over = len(whole) - limit
        text = text[: min(len(text), limit) - max(1, over // 5)]
        whole = escape(text)
    return whole


def emoji_in(blocks: object) -> Mapping[str, str]:
    """The emoji that a message really holds, by shortcode: `:pray:` → 🙏. Custom ones have no character."""
    return dict(_emoji(blocks))


def _emoji(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _emoji(one)
    elif isinstance(value, dict):
        if value.get("type") == "emoji" and value.get("unicode"):
            yield _shortcode(value), characters(str(value["unicode"]))
        for one in value.values():
            yield from _emoji(one)


def _shortcode(element: Mapping[str, Any]) -> str:
    tone = element.get("skin_tone")
    return f":{element.get('name')}::skin-tone-{tone}:" if tone else f":{element.get('name')}:"
