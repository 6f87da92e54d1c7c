"""Words that say of themselves what they are, in Discord's own form."""

from __future__ import annotations

import pytest

from adapters.discord.manners import manner
from routing.inputs import Manner


@pytest.mark.parametrize(
    ("raw", "text", "meant"),
    [
        ("Good morning", "Good morning", Manner.PLAIN),
        ("// he called", "// he called", Manner.NOTE),
        ("**note:** he called", "note: he called", Manner.NOTE),
        ("メモ： 電話あり", "メモ： 電話あり", Manner.NOTE),
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
