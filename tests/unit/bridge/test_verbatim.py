"""What is no language is taken out and put back, byte for byte, or the whole translation is worth nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.verbatim import language_only, mask

TXID = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
BECH32 = "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh"
BASE58 = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
TRON = "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"
ETHER = "0x52908400098527886E0F7030069857D2E4169EE7"

KEPT = [
    TXID, BECH32, BASE58, TRON, ETHER, "0x52…9EE7", "0.5 BTC", "1,234.56", "¥180,000", "$12", "10万円", "100 USDT",
    "100ドル", "12.5%", "2026-01-03", "12:30", "123456", "WD-20260101-8842", "K7Q2", "2FA", "TRC20",
    "a.b+c@example.co.jp",
    "https://example.com/a?b=1&c=2", "www.example.com", "`rm -rf`", "@aiko", "#8842", "USDT", "[1]",
]  # fmt: skip


@pytest.mark.parametrize("kept", KEPT)
def test_it_is_kept(kept: str) -> None:
    masked = mask(f"これは {kept} です")
    assert masked.kept == (kept,)
    assert masked.text == "これは [1] です"


@pytest.mark.parametrize("kept", [TXID, BECH32, BASE58, TRON, ETHER, "10万円", "https://example.com/a"])
def test_it_is_kept_where_no_space_parts_it_from_the_words(kept: str) -> None:
    assert mask(f"送金先は{kept}です。").kept == (kept,)


def test_a_sentences_own_punctuation_is_not_the_links() -> None:
    assert mask("see https://example.com/a.").text == "see [1]."


@pytest.mark.parametrize(
    "words", ["出金できません", "my withdrawal is stuck", "3 days", "提现不到账", "two or 3 hours"]
)
def test_words_stay_words(words: str) -> None:
    assert mask(words).kept == ()


def test_what_has_no_words_needs_no_translation() -> None:
    assert not mask(f"{TXID} 0.5 BTC!").has_words
    assert mask(f"{TXID} 送金").has_words


def test_what_the_machine_moves_about_is_put_back_where_it_stands_now() -> None:
    masked = mask(f"{TXID} の 0.5 BTC が届きません")
    assert masked.filled("[2] of [1] did not arrive") == f"0.5 BTC of {TXID} did not arrive"
    assert masked.filled("［ 2 ］ of 【1】 did not arrive") == f"0.5 BTC of {TXID} did not arrive"


def test_an_address_is_never_glued_to_a_word() -> None:
    assert mask(f"宛先 {ETHER}").filled("to[1]now") == f"to {ETHER} now"


@pytest.mark.parametrize(
    "made",
    [
        "did not arrive",  # lost
        "[1] and [1]",  # doubled, and another lost
        "[1] [2] [3]",  # made up
        "[1] [2] [0]",
        f"[1] [2] {BECH32}",  # an address of its own
        "[1] [2] 5,000",
        "[1] [2] https://example.net",
        "[1] [2] help@example.net",
    ],
)
def test_a_translation_that_changed_anything_is_none(made: str) -> None:
    assert mask(f"{TXID} の 0.5 BTC").filled(made) is None


def test_a_term_may_be_said_where_the_original_wrote_it_out() -> None:
    assert mask("二要素認証").filled("2FA code") == "2FA code"


def test_nothing_that_is_no_language_is_left_to_a_detector() -> None:
    assert language_only(f"送金 {TXID} to {BECH32} 0.5 BTC").split() == ["送金", "to"]


NAMES = [
    TXID,
    BECH32,
    BASE58,
    TRON,
    ETHER,
    "WD-20260101-8842",
    "K7Q2",
    "a.b+c@example.co.jp",
    "https://example.com/a?b=1&c=2",
]
"""What names one thing in the world. An amount may be cut ("£ 0.5 BTC" is a strange one); a name never."""

PIECES = st.lists(st.sampled_from(KEPT) | st.text(max_size=12), max_size=12)


@given(PIECES.map(" ".join))
def test_a_machine_that_changes_nothing_gives_back_every_byte(text: str) -> None:
    assert mask(text).filled(mask(text).text) == text


@given(st.lists(st.sampled_from(KEPT) | st.text(st.characters(exclude_characters="`[@#"), max_size=12), max_size=12))
def test_no_name_is_ever_cut_in_two(pieces: list[str]) -> None:
    kept = mask(" ".join(pieces)).kept
    for piece in pieces:
        assert piece not in NAMES or any(piece in one for one in kept), (piece, kept)


@pytest.mark.parametrize("before", ["£ ", "$", "¥", "-", "#", "1,", "a "])
@pytest.mark.parametrize("kept", [TXID, BECH32, BASE58, TRON, ETHER, "K7Q2", "ab12345", "12345ab"])
def test_whatever_stands_before_it(before: str, kept: str) -> None:
    assert any(kept in one for one in mask(f"{before}{kept} 送金").kept)


@given(PIECES.map(" ".join), st.randoms())
def test_in_whatever_order_each_comes_back_once(text: str, chance: object) -> None:
    masked = mask(text)
    holes = [f"[{number}]" for number in range(1, len(masked.kept) + 1)]
    chance.shuffle(holes)  # type: ignore[attr-defined]  # hypothesis' own Random has no public type
    filled = masked.filled(" x ".join(holes))
    assert filled is not None
    assert all(filled.count(kept) >= masked.kept.count(kept) for kept in masked.kept)


@given(PIECES.map(" ".join))
def test_a_lost_one_is_always_noticed(text: str) -> None:
    masked = mask(text)
    if masked.kept:
        assert masked.filled(masked.text.replace("[1]", "", 1)) is None
