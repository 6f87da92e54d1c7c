"""What operators' words say of themselves, however they are typed."""

from __future__ import annotations

import pytest

from adapters.slack.text.manners import manner
from routing.inputs import Manner


@pytest.mark.parametrize(
    "opening", ["note:", "Note：", "ＮＯＴＥ :", "  *note:*", "_Note_ :", "> note:", "メモ:", "メモ："]
)
@pytest.mark.parametrize("space", ["", " ", "\u3000"])
def test_a_note_is_one_in_any_case_width_and_spacing(opening: str, space: str) -> None:
    text = f"{opening}{space}he is a fool"
    meant, begins = manner(text, text)
    assert (meant, text[begins:]) == (Manner.NOTE, "he is a fool")


@pytest.mark.parametrize(
    "opening", ["备注:", "備註：", "内部:", "社内メモ：", "//", "／／", "/ /", "【备注】", "[Note]", "［ note ］"]
)
def test_so_it_is_in_every_language_and_in_brackets(opening: str) -> None:
    assert manner(f"{opening} x", f"{opening} x")[0] is Manner.NOTE


@pytest.mark.parametrize(
    ("text", "words"), [("reply: Hello", "Hello"), ("返信：こんにちは", "こんにちは"), ("回复: 您好", "您好")]
)
def test_a_reply_may_be_said_outright(text: str, words: str) -> None:
    meant, begins = manner(text, text)
    assert (meant, text[begins:]) == (Manner.REPLY, words)


@pytest.mark.parametrize(
    "raw",
    [
        "<@U1> look",
        " <@W1|mary> look",
        "*<@U1>* look",
        "<!subteam^S1> look",
        "<!here> look",
        "&gt; <@U1> look",
        "1. <@U1> look",
        "\u200b<@U1> look",
    ],
)
def test_words_that_begin_with_a_mention_are_for_colleagues(raw: str) -> None:
    assert manner(raw, "@Mary look") == (Manner.ADDRESSED, 0)


@pytest.mark.parametrize(
    "raw", ["ask <@U1> first", "@mary look", "notes for you", "https://x.example", "replying now: yes", "<#C1> is it"]
)
def test_what_says_nothing_of_itself_is_plain(raw: str) -> None:
    assert manner(raw, raw) == (Manner.PLAIN, 0)
