"""Typed commands: found however they are typed, and never taken for words to a customer."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bridge.networks.commands import (
    ANYWHERE,
    IN_THREAD,
    RESULTS,
    Command,
    Mistyped,
    Verb,
    Words,
    asked,
    folded,
    named,
    spoken,
    typed,
    until,
)
from config.locales import LANGUAGES, text
from routing.ids import DeskId
from routing.policy import HOUR, MINUTE


def wording(language: str, key: str) -> str:
    return text("thread", language, key)


WORDS = Words.read(Verb, "command", wording, LANGUAGES)
OUTCOMES = Words.read(RESULTS, "command.outcome", wording, LANGUAGES)
EVERY_WORD = [
    (verb, word) for verb in Verb for tag in LANGUAGES for word in spoken(text("thread", tag, f"command.{verb}"))
]
WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in map(chr, range(0x21, 0x7F))}

signs = st.sampled_from(["!", "/", "！", "／", " ! ", "* !", "> ／ ", "\u200b!", "\u00ad！\u2060"])
shapes = st.sampled_from([str, str.upper, str.title, lambda word: word.translate(WIDE)])


# ------------------------------------------------------------------ words


@given(st.sampled_from(EVERY_WORD), signs, shapes, st.sampled_from(["", " ", "\u3000", "*"]))
def test_every_word_of_every_language_is_its_command_in_any_case_and_width(
    one: tuple[Verb, str], sign: str, shape: object, after: str
) -> None:
    assert callable(shape)
    verb, word = one
    assert typed(f"{sign}{shape(word)}{after}", WORDS) == Command(verb)
    assert asked(f"{shape(word)}{after}", WORDS) == Command(verb)


def test_no_word_means_two_things() -> None:
    for words in (
        EVERY_WORD,
        [(one, w) for one in RESULTS for t in LANGUAGES for w in spoken(wording(t, f"command.outcome.{one}"))],
    ):
        meant: dict[str, object] = {}
        for meaning, word in words:
            assert meant.setdefault(folded(word), meaning) == meaning, word


def test_every_word_can_be_typed_with_what_follows_right_behind_it() -> None:
    """A word of a command ends where its letters end, so it has nothing else in it."""
    assert [word for _, word in EVERY_WORD if not unicodedata.normalize("NFKC", word).isalpha()] == []
    assert typed("!hold30m", WORDS) == Command(Verb.HOLD, "30m")
    assert typed("！保留３０分", WORDS) == Command(Verb.HOLD, "３０分")


def test_half_width_kana_are_words_too() -> None:
    assert typed("!ﾒﾓ ﾎﾝﾆﾝｶｸﾆﾝ済み", WORDS) == Command(Verb.NOTE, "ﾎﾝﾆﾝｶｸﾆﾝ済み")
    assert folded("ﾎﾞ") == folded("ボ")


def test_what_follows_keeps_every_character_as_it_was_typed() -> None:
    words = "０ｘＡｂ  5.00 *bold*\n  第二行\n\nthird"
    assert typed(f"!send {words}", WORDS) == Command(Verb.SEND, words)
    assert typed(f"！ｎｏｔｅ：{words}", WORDS) == Command(Verb.NOTE, words)


@pytest.mark.parametrize("before", ["!send ", "  ！ｓｅｎｄ：", "\n *!send* ", "/reply\u3000"])
def test_it_is_said_where_the_words_begin(before: str) -> None:
    found = typed(f"{before}第二 *bold*\nthird", WORDS)
    assert isinstance(found, Command)
    assert f"{before}第二 *bold*\nthird"[found.begins :] == found.argument == "第二 *bold*\nthird"


# ------------------------------------------------------------------ what is no command


@pytest.mark.parametrize(
    "text", ["", "!", "！？", "// a note", "／／ メモ", "/ 5 days", "!!", "!100", "Hello!", "a /b", "!🙏"]
)
def test_words_and_notes_are_no_commands(text: str) -> None:
    assert typed(text, WORDS) is None


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("!cliam", "claim"),
        ("/resolv", "resolve"),
        ("!reslove", "resolve"),
        ("！担当します", "担当"),
        ("!tran", "transfer"),
    ],
)
def test_a_mistyped_word_names_the_nearest_command(line: str, nearest: str) -> None:
    found = typed(line, WORDS)
    assert isinstance(found, Mistyped)
    assert nearest in found.nearest
    assert len(found.nearest) <= 3


letters = st.text(st.characters(categories=["L"]), min_size=1, max_size=20).filter(
    lambda word: unicodedata.normalize("NFKC", word).isalpha()  # one letter in Unicode has a dot of its own
)


@given(signs, letters, st.text(max_size=20))
def test_a_sign_and_a_word_are_never_words_for_the_customer(sign: str, word: str, rest: str) -> None:
    assert typed(f"{sign}{word} {rest}", WORDS) is not None


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_words_are_only_what_begins_with_no_sign_or_with_no_letter_behind_it(text: str) -> None:
    assume(typed(text, WORDS) is None)
    head = folded(text.strip().splitlines()[0] if text.strip() else "").lstrip(">\u2022")
    assert not (head[:1] in ("!", "/") and head[1:2].isalpha())


@pytest.mark.parametrize(
    "text",
    ["Thank you\n!resolve", "!claim\nI am looking", "!send Hello\n／ｒｅｓｏｌｖｅ", "a\n\n> !away", "!send !claim"],
)
def test_a_command_stands_alone(text: str) -> None:
    found = typed(text, WORDS)
    assert isinstance(found, Mistyped)
    assert found.misplaced


def test_a_path_further_down_is_no_command() -> None:
    assert typed("Please open\n/settings/security", WORDS) is None


# ------------------------------------------------------------------ after the network's own command


def test_the_networks_command_needs_no_sign_and_alone_asks_for_everything() -> None:
    assert asked("", WORDS) == asked(" ", WORDS) == Command(Verb.HOME)
    assert asked("!mine", WORDS) == asked("ＭＩＮＥ", WORDS) == Command(Verb.MINE)
    assert asked("find Ｋ７Ｑ２", WORDS) == Command(Verb.FIND, "Ｋ７Ｑ２")
    assert isinstance(asked("nonsense", WORDS), Mistyped)
    assert set(IN_THREAD) | set(ANYWHERE) == set(Verb)


# ------------------------------------------------------------------ times, outcomes, desks

TOKYO = ZoneInfo("Asia/Tokyo")
NOON = int(datetime(2026, 11, 30, 12, tzinfo=TOKYO).timestamp() * 1000)


@pytest.mark.parametrize(
    ("argument", "minutes"),
    [
        ("30m", 30), ("30", 30), ("３０分", 30), ("90 min", 90), ("2h", 120), ("1h30m", 90), ("1h 30", 90),
        ("2時間", 120), ("1時間半", 90), ("1時間15分", 75), ("20分钟", 20), ("1小時", 60),
        ("15:00", 180), ("１５：００まで", 180), ("until 15:00", 180), ("3pm", 180), ("午後3時", 180), ("15時半", 210),
        ("下午3点15分", 195), ("11:00", 23 * 60), ("12:00", 24 * 60), ("12am", 12 * 60),
    ],
)  # fmt: skip
def test_a_time_is_read_as_people_write_it(argument: str, minutes: int) -> None:
    assert until(argument, NOON, TOKYO) == NOON + minutes * MINUTE


@pytest.mark.parametrize("argument", ["", "soon", "25:00", "15:61", "13pm", "half", "-30m", "30 monkeys", "半"])
def test_what_is_no_time_is_none(argument: str) -> None:
    assert until(argument, NOON, TOKYO) is None


def test_a_clock_time_is_that_of_the_zone_and_of_the_day_when_clocks_change() -> None:
    before = int(datetime(2026, 10, 24, 23, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)
    assert until("09:00", before, ZoneInfo("Europe/Berlin")) == before + 11 * HOUR, "this night has an hour more"
    assert until("15:00", NOON, UTC) == NOON + 12 * HOUR


@given(st.text(max_size=12), st.integers(0, 2**41))
def test_no_typed_time_is_in_the_past_and_none_breaks(argument: str, now: int) -> None:
    found = until(argument, now, TOKYO)
    assert found is None or found >= now


def test_outcomes_are_named_in_every_language() -> None:
    said = {"解決": "solved", "未解决": "unsolved", "SPAM": "spam", "no answer": "no_answer", "no_answer": "no_answer"}
    assert {word: OUTCOMES.get(word) for word in said} == said
    assert OUTCOMES.get("ended") is None


def test_a_desk_is_meant_by_its_id_its_title_or_the_beginning_of_it() -> None:
    desks = {
        DeskId("ja"): ("ja", "日本語"),
        DeskId("security"): ("security", "セキュリティ"),
        DeskId("sales"): ("sales",),
    }
    assert named("Ｓｅｃｕｒｉｔｙ", desks) == named("ｾｷｭﾘﾃｨ", desks) == named("sec", desks) == "security"
    assert named("s", desks) is None, "two begin so"
    assert named("", desks) is None
    assert named("nobody", desks) is None
