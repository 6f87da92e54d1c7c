"""All that an operator sent is said to the customer: forwards, stickers and voice messages as words."""

from __future__ import annotations

from typing import Any

from adapters.discord.heard.happenings import Attachment, Author, Forwarded, Said, Sticker
from adapters.discord.heard.reading import words
from adapters.discord.refs import Root
from adapters.discord.text.mentions import Names
from bridge.messages import Mark, MarkKind, TextPart
from config.locales import LANGUAGES
from routing.ids import InputKey
from tests.unit.adapters.discord.test_render import wording

FILE = Attachment("4", "a.png", "image/png", 1, "https://cdn.example/a")
VOICE = Attachment("5", "voice.ogg", "audio/ogg", 9, "https://cdn.example/v", 2.6)


def said(text: str = "", **more: Any) -> Said:
    return Said(InputKey("k"), Root("1", "2"), "3", Author("1", "5"), text, **more)


def read(one: Said, language: str = "en") -> TextPart:
    return words(one, Names(person={"5": "Sato"}.get), wording, language)


def test_typed_words_are_read_as_they_are_alone() -> None:
    assert read(said("**hi** <@5>")) == TextPart("hi @Sato", (Mark(MarkKind.BOLD, 0, 2),))
    assert read(said()) == TextPart("")


def test_a_forward_is_a_quote_under_a_line_that_says_so() -> None:
    part = read(said("see", forwarded=(Forwarded("**new** terms", (FILE,)),)))
    assert part.text == "see\nForwarded message\nnew terms"
    assert [(one.kind, part.text[one.start : one.end]) for one in part.marks] == [
        (MarkKind.QUOTE, "new terms"),
        (MarkKind.BOLD, "new"),
    ]


def test_a_voice_message_says_that_it_is_one() -> None:
    assert read(said(files=(VOICE,), voice=True)).text == "Voice message (3 s)"


def test_stickers_without_a_picture_are_named_in_each_language() -> None:
    drawn = Sticker("1", "wave", 3)
    told = {read(said(stickers=(drawn, Sticker("2", "picture"))), language).text for language in LANGUAGES}
    assert len(told) == len(LANGUAGES)
    assert all("wave" in one and "picture" not in one for one in told)
