"""What was said is known again by its words, whoever says it by now and whatever is told of its files."""

from __future__ import annotations

import pytest

from adapters.discord.outward.reconciliation import beneath

SAID = "**Hanako**\n```\nlook\n```"
LINE = "-# Document (PDF), 11.0 MB, too large · [Open](<https://files.example/{}/file.pdf>) until <t:{}:f>"


@pytest.mark.parametrize(
    ("drawn", "there"),
    [
        pytest.param(SAID, SAID.replace("Hanako", "Hanako Sato"), id="who has another name"),
        pytest.param(SAID, f"{SAID}\n{LINE.format('a', 1)}", id="whose file Discord did not take"),
        pytest.param(f"{SAID}\n{LINE.format('b', 2)}", f"{SAID}\n{LINE.format('a', 1)}", id="whose link is a new one"),
        pytest.param(LINE.format("b", 2), LINE.format("a", 1), id="a post of such lines alone"),
    ],
)
def test_it_is_known_again(drawn: str, there: str) -> None:
    assert beneath(drawn) == beneath(there)


def test_other_words_and_other_files_are_not_taken_for_it() -> None:
    assert beneath(SAID) != beneath(SAID.replace("look", "look here"))
    assert beneath(SAID) != beneath(SAID.replace("look", "look\n-# x"))
    assert beneath(LINE) != beneath(LINE.replace("11.0", "12.0"))
