"""Identifiers: unique, legible, and the same for ever."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from routing.ids import (
    CODE_ALPHABET,
    CustomerKey,
    InputKey,
    SessionId,
    effect_id,
    partition_in,
    partition_of,
    read_code,
    read_session_id,
    session_id,
    short_code,
)

FOUR = len(CODE_ALPHABET) ** 4


def test_a_hundred_thousand_codes_are_all_different_and_four_letters_long() -> None:
    codes = {short_code(number) for number in range(100_000)}
    assert len(codes) == 100_000
    assert {len(code) for code in codes} == {4}


@given(st.integers(0, 3 * FOUR), st.integers(0, 3 * FOUR))
def test_no_code_is_given_twice_even_when_they_grow(one: int, other: int) -> None:
    assert (short_code(one) == short_code(other)) == (one == other)


def test_codes_have_no_letters_that_are_taken_for_others() -> None:
    assert not set("01OILU") & set(CODE_ALPHABET)


@given(st.integers(0, 3 * FOUR), st.booleans(), st.sampled_from(["", " ", "\u3000"]))
def test_a_code_is_read_however_wide_and_in_whatever_case_it_is_typed(number: int, wide: bool, space: str) -> None:
    code = short_code(number)
    typed = "".join(chr(ord(sign) + 0xFEE0) for sign in code) if wide else code
    for text in (typed, typed.lower(), f"{space}{typed}{space}", f"#{typed}", f"＃{typed}"):
        assert read_code(text) == code


@given(st.text(max_size=12))
@example("K7Q0")
@example("K7Q")
@example("K7Q2 M3XA")
def test_what_is_no_code_is_not_looked_for(text: str) -> None:
    read = read_code(text)
    assert read is None or (4 <= len(read) <= 8 and set(read) <= set(CODE_ALPHABET))


@given(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(min_size=1, max_size=20), st.integers(1, 1024))
def test_a_session_carries_its_customers_partition(site: str, account: str, partitions: int) -> None:
    customer = CustomerKey(site, account)
    partition = partition_of(customer, partitions)
    assert 0 <= partition < partitions
    assert partition_in(session_id(site, partition, "n")) == partition


@given(st.text(min_size=1, max_size=30))
def test_a_customers_name_in_a_key_has_nothing_that_could_end_it(account: str) -> None:
    assert not set(str(CustomerKey("main", account))) & set(" \n\r\t{}")


@given(st.text(max_size=10), st.text(max_size=10), st.integers(0, 3), st.integers(0, 3))
def test_an_effects_name_follows_from_its_cause_alone(one: str, other: str, first: int, second: int) -> None:
    session = SessionId("main.1.a")
    same = effect_id(session, InputKey(one), "PostMessage", first) == effect_id(
        session, InputKey(other), "PostMessage", second
    )
    assert same == ((one, first) == (other, second))


@given(st.text() | st.from_regex(r"\A.*\..*\..*\Z"))
@example("main.2.027931408776389b")
@example("main.-1.ab")
@example("main.0x1.ab")
@example("main.1_0.ab")
@example("main.\u0663.ab")
@example("..")
def test_what_is_read_as_a_session_id_carries_a_partition(text: str) -> None:
    read = read_session_id(text)
    assert read is None or (read == text and 0 <= partition_in(read) < 0x10000)


@given(st.integers(0, 1023))
def test_a_minted_session_id_is_read(partition: int) -> None:
    minted = session_id("shop.example-2", partition, "027931408776389b")
    assert read_session_id(minted) == minted
