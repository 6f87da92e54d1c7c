"""Words that say of themselves what they are, in Discord's own form."""

from __future__ import annotations

import pytest

from adapters.discord.text.manners import manner
from routing.inputs import Manner


@pytest.mark.parametrize(
    ("raw", "text", "meant"),
    [
        ("Good morning", "Good morning", Manner.PLAIN),
        ("// he called", "// he called", Manner.NOTE),
        ("**note:** he called", "note: he called", Manner.NOTE),
        ("メモ： 電話あり", "メモ： 電話あり", Manner.NOTE),
        ("\u2066note: he called\u2069", "\u2066note: he called\u2069", Manner.NOTE),
        ("no\u200bte: he called", "no\u200bte: he called", Manner.NOTE),
        ("\u202e// he called", "\u202e// he called", Manner.NOTE),
        ("\u2068<@290000000000000001> look", "\u2068@Aiko look", Manner.ADDRESSED),
        ("reply: hello", "reply: hello", Manner.REPLY),
        ("<@290000000000000001> can you look", "@Aiko can you look", Manner.ADDRESSED),
        ("> <@&290000000000000001> look", "@team look", Manner.ADDRESSED),
        ("@here look", "@here look", Manner.ADDRESSED),
        ("ask <@290000000000000001>", "ask @Aiko", Manner.PLAIN),
        ("@Aiko typed by hand", "@Aiko typed by hand", Manner.PLAIN),
    ],
)
def test_how_words_are_meant(raw: str, text: str, meant: Manner) -> None:
    assert manner(raw, text)[0] is meant
