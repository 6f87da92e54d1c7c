"""Names that Discord takes for a post, and words without the name above them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord import render
from adapters.discord.outward.personas import USERNAME, fit, unnamed
from bridge.messages import About, Body, TextPart
from bridge.networks.names import customer_name, persona
from config.locales import LANGUAGES, thread_words
from routing.facts import Side
from tests.unit.adapters.discord.text.test_markup import HOSTILE


@pytest.mark.parametrize("name", ["Discord Support", "my Clyde", "a```b", " ", ""])
def test_a_name_that_discord_takes_from_nobody_is_not_worn(name: str) -> None:
    assert fit(name) is None


@settings(deadline=None)
@given(HOSTILE, st.sampled_from(LANGUAGES))
def test_whatever_a_customer_is_called_the_name_is_short_and_says_whose_it_is(name: str, language: str) -> None:
    worn = fit(persona(About(name=name), language, thread_words))
    assert worn is None or 0 < len(worn) <= USERNAME
    assert worn is None or worn != name


@settings(deadline=None)
@given(HOSTILE, st.text(min_size=1, max_size=3_000), st.sampled_from(LANGUAGES))
def test_without_the_name_stand_the_words_and_nothing_else(name: str, words: str, language: str) -> None:
    speaker = customer_name(About(name=name), language, thread_words)
    for one in render.said(Side.CUSTOMER, Body((TextPart(words),)), speaker, language=language, wording=thread_words):
        assert unnamed(one.content).startswith("```")
        assert one.content.endswith(unnamed(one.content))


def test_a_line_of_the_bridges_own_has_no_name_to_lose() -> None:
    assert unnamed("-# This message was withdrawn.") == "-# This message was withdrawn."
