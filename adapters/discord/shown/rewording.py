"""What a changed message looks like: its new words, and small beneath them what it said before.

The former words are escaped and shortened to the room that there is; the desk page and the journal have them whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.discord.render import CONTENT, Rendered, Wording, small
from adapters.discord.text.markup import escape, units
from bridge.messages import Body, one_line

FORMER = 280
"""Characters of a former wording."""


def reworded(rendered: Rendered, former: Sequence[Body], language: str, wording: Wording) -> Rendered:
    """`former`: oldest first; the latest is shown first. Files have no wording."""
    content = rendered.content
    for line in changed(former, language, wording):
        longer = f"{content}\n{line}"
        if units(longer) > CONTENT:
            break
        content = longer
    return replace(rendered, content=content)


def changed(former: Sequence[Body], language: str, wording: Wording) -> list[str]:
    """The lines beneath: that it was changed, and then what it said before."""
    said = [escape(one_line(one.text, FORMER)) for one in reversed(former) if one.text]
    lines = [wording(language, "post.edited"), *(wording(language, "post.former", text=text) for text in said)]
    return [small(line) for line in lines]
