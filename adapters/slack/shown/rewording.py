"""What a changed message looks like: its new words, and small beneath them what it said before.

The former words stand as `plain_text`, in which nothing acts, and shortened: the desk page and the journal have them
whole, and a post of 4,000 characters with five former ones would not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.slack.render import Block, Rendered, Wording
from bridge.messages import Body, one_line

FORMER = 280
"""Characters of a former wording."""


def reworded(rendered: Rendered, former: Sequence[Body], language: str, wording: Wording) -> Rendered:
    """`former`: oldest first; the latest is shown first. Files have no wording."""
    said = [one_line(one.text, FORMER) for one in reversed(former) if one.text]
    lines = [wording(language, "post.edited"), *(wording(language, "post.former", text=text) for text in said)]
    former_words: Block = {"type": "context", "elements": [_small(one) for one in lines]}
    return replace(rendered, blocks=[*rendered.blocks, former_words])


def _small(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
