"""Templates: which are offered, how they are typed, and that nothing half-filled goes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.messages import TEXT_LIMIT
from bridge.templates import Filled, Lacking, Template, Typed, completed, fill, named, nearest, ranked, typed
from routing.ids import Topic

REFUND = Template(
    "refund",
    {"en": "Dear {customer}, {amount} is on its way, {operator}", "ja": "{customer}、{amount}を返金します。{operator}"},
    topics=(Topic("transfers"),),
)
KNOWN = {"customer": "Hanako", "operator": "Aiko", "amount": "5.00"}


def test_a_template_speaks_the_customers_language_and_no_other() -> None:
    assert fill(REFUND, "ja", KNOWN) == Filled("Hanako、5.00を返金します。Aiko")
    assert fill(REFUND, "ja-JP", KNOWN) == Filled("Hanako、5.00を返金します。Aiko")
    assert fill(REFUND, "zh-Hant", KNOWN) == Lacking(language="zh-Hant")
    assert Template("x", {"zh-Hans": "您好"}).in_language("zh-Hant") is None


def test_what_is_missing_stops_the_send_and_is_named() -> None:
    assert fill(REFUND, "en", {"operator": "Aiko", "amount": " "}) == Lacking(names=("customer", "amount"))


def test_what_is_filled_in_is_never_filled_again() -> None:
    assert fill(REFUND, "en", KNOWN | {"customer": "{amount}"}) == Filled("Dear {amount}, 5.00 is on its way, Aiko")


def test_a_text_that_grew_too_long_is_not_cut() -> None:
    assert fill(REFUND, "en", KNOWN | {"amount": "9" * TEXT_LIMIT}) == Lacking(too_long=True)


def test_words_that_were_changed_by_hand_go_out_with_no_gap_left_open() -> None:
    words = "Dear Hanako, {amount} comes on {day}."
    assert completed(words, ["amount", "day"], {"amount": "5.00"}) == Lacking(names=("day",))
    assert completed(words, ["amount", "day"], {"amount": "5.00", "day": "Monday"}) == Filled(
        "Dear Hanako, 5.00 comes on Monday."
    )
    assert completed("Dear Hanako, 5.00 comes. {smile}", ["amount"], {}) == Filled("Dear Hanako, 5.00 comes. {smile}")
    assert completed("x" * (TEXT_LIMIT + 1), [], {}) == Lacking(too_long=True)


@pytest.mark.parametrize("text", [";refund", "；refund", "；ｒｅｆｕｎｄ", "  ;REFUND ", "；Ｒefund　"])
def test_a_code_is_read_in_any_width_and_case(text: str) -> None:
    assert typed(text) == Typed("refund")


def test_what_is_given_behind_the_code_keeps_its_form() -> None:
    given = typed('；ｒｅｆｕｎｄ amount="5.00 USDT" days＝３ 名前=「山田 様」')
    assert given == Typed("refund", {"amount": "5.00 USDT", "days": "３", "名前": "山田 様"})


@pytest.mark.parametrize("text", [";)", "; refund", "a;refund", "", ";", ";-(", "see ;refund", ";refund,please"])
def test_a_semicolon_in_ordinary_words_is_no_code(text: str) -> None:
    assert typed(text) is None


@given(st.text(max_size=300))
def test_typing_anything_breaks_nothing(text: str) -> None:
    typed(text)
    typed(f";x {text}")


def test_the_topics_own_come_first_and_then_what_is_used_most() -> None:
    words = {"en": "x"}
    other = Template("a-other", words, topics=(Topic("security"),))
    rare, often = Template("b-rare", words), Template("c-often", words)
    foreign = Template("d-foreign", {"ja": "x"})
    found = ranked([other, rare, often, foreign, REFUND], Topic("transfers"), "en", {"c-often": 3, "a-other": 9})
    assert [one.code for one in found] == ["refund", "c-often", "b-rare", "a-other"]


def test_a_code_that_is_not_known_has_its_neighbours_named() -> None:
    known = [REFUND, Template("refused", {}), Template("greeting", {})]
    assert nearest(known, "refnd") == ["refund", "refused"]
    assert nearest(known, "zzz") == []
    assert named(known, "refund") is REFUND
