"""What an operator writes on Discord, as a customer reads it: the marks kept, nothing hidden, no id, no markup left."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.text.markdown import read
from adapters.discord.text.mentions import Names
from bridge.messages import MarkKind, TextPart

NAMES = Names(person={"5": "Sato"}.get, place={"20": "Withdrawals"}.get)


def words(text: str) -> str:
    return read(text, NAMES).text


def marked(text: str) -> list[tuple[str, str]]:
    part = read(text, NAMES)
    return [(mark.kind.value, part.text[mark.start : mark.end]) for mark in part.marks]


@pytest.mark.parametrize(
    ("text", "shown", "marks"),
    [
        ("**bold** and *it* and _it_", "bold and it and it", [("bold", "bold"), ("italic", "it"), ("italic", "it")]),
        ("***both***", "both", [("bold", "both"), ("italic", "both")]),
        ("~~gone~~ __under__ ||bars||", "gone under bars", [("strike", "gone")]),
        ("**a _b_ c**", "a b c", [("bold", "a b c"), ("italic", "b")]),
        ("**over\ntwo lines**", "over\ntwo lines", [("bold", "over\ntwo lines")]),
        ("`a*b*` ``c`d``", "a*b* c`d", [("code", "a*b*"), ("code", "c`d")]),
        ("x ```py\nprint(1)\n``` y", "x \nprint(1)\n y", [("pre", "print(1)")]),
        ("> one\n> **two**\nthree", "one\ntwo\nthree", [("quote", "one\ntwo"), ("bold", "two")]),
        ("a\n>>> b\nc", "a\nb\nc", [("quote", "b\nc")]),
        ("> ```\n> a\n> ```", "a", [("quote", "a"), ("pre", "a")]),
        ("```\n>>> print(1)\n```", ">>> print(1)", [("pre", ">>> print(1)")]),
        ("# Head\n-# small", "Head\nsmall", [("bold", "Head")]),
        ("- a\n  - b\n2. c", "• a\n  • b\n2. c", [("item", "a"), ("item", "b"), ("item", "c")]),
    ],
)
def test_what_was_formatted(text: str, shown: str, marks: list[tuple[str, str]]) -> None:
    assert words(text) == shown
    assert marked(text) == marks


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hi <@5> and <@!6>", "hi @Sato and @colleague"),
        ("<@&7> see <#20>, <#21>", "@team see Withdrawals, #channel"),
        ("<id:customize> </chat home:816437322781949972>", "#channel /chat home"),
        ("<:party:1> <a:wave:2>", ":party: :wave:"),
        ("until <t:1700000000:R> or <t:1700000000>", "until 2023-11-14 22:13 UTC or 2023-11-14 22:13 UTC"),
        ("<t:99999999999999999:R>", "<t:99999999999999999:R>"),
        (
            "<t:1700000000:f>, <mailto:help@example.com>, <tel:+81 3-1234-5678>, <+81312345678>",
            "2023-11-14 22:13 UTC, help@example.com, +81 3-1234-5678, +81312345678",
        ),
        (r"\*not bold\* \<@5> a\\b", r"*not bold* <@5> a\b"),
        ("@everyone and @here", "@everyone and @here"),
    ],
)
def test_what_discord_draws_as_something_else_is_said_in_words(text: str, shown: str) -> None:
    assert words(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 * 4 = 24", "a_b_c 0x_ab_", "1 > 0, 5 < 6", ">not quoted", "#5 is late", "10:30:45", "-5 USDT", "5.0",
        "(a) [b] (https://)", "**", "a ** b", "``` never closed", "<@x> <#> <t:x>", "¯\\_(ツ)_/¯"[:1], "50% ~~ 60%",
    ],
)  # fmt: skip
def test_words_stay_as_they_were_written(text: str) -> None:
    assert read(text, NAMES) == TextPart(text)


def test_a_link_always_shows_where_it_leads() -> None:
    assert words("[your bank](https://evil.example/x)") == "your bank (https://evil.example/x)"
    assert words("[https://bank.example](<https://evil.example>)").endswith("(https://evil.example)")
    assert marked("see https://a.example/x_y_z.") == [("link", "https://a.example/x_y_z")]
    assert marked("<https://a.example>") == [("link", "https://a.example")]


def test_a_date_is_told_in_the_customers_zone_and_says_which() -> None:
    for zone, shown in {
        "Asia/Tokyo": "2023-11-15 07:13 JST",
        "Asia/Singapore": "2023-11-15 06:13 UTC+08",
        "nowhere/../at": "2023-11-14 22:13 UTC",
    }.items():
        assert read("<t:1700000000:R>", Names(zone=zone)).text == shown


def test_names_that_stay_inside_are_told() -> None:
    assert NAMES.withheld("<#20> <#21> <#22> <@&3> <@5>") == ("#channel", "@team")


@settings(deadline=None)
@given(st.text(alphabet="ab1 \n\\*_~|`#>-<@!&:/[]().", max_size=60))
def test_any_text_can_be_read_and_no_letter_is_lost(text: str) -> None:
    part = read(text, NAMES)
    assert [sign for sign in part.text if sign in "ab1"] == [sign for sign in text if sign in "ab1"]
    assert all(0 <= mark.start < mark.end <= len(part.text) for mark in part.marks)


def test_the_longest_text_is_read_at_once() -> None:
    for text in ("*" * 4_000, "_a " * 1_300, "[" * 4_000, "`" * 3_999, "||" * 2_000, "**a" * 1_300, "\\" * 4_000):
        read(text, NAMES)


def test_marks_know_no_line_under_words() -> None:
    assert MarkKind.QUOTE in {mark.kind for mark in read("> __a__", NAMES).marks}
