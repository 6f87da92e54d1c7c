from __future__ import annotations

import json
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from adapters.console.accounts import (
    ACCOUNT_BURST,
    ADDRESS_BURST,
    TOUCH,
    Accounts,
    Seat,
    SignInRefused,
    mint_sign_in_link,
)
from adapters.console.passwords import PasswordError, Passwords
from bridge.directory import OWNER, Directory, Operator
from config.settings import DeskSettings
from routing.ids import OperatorId
from tests.unit.bridge.book import Book

PASSWORD = "correct horse battery"
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HERE = "192.0.2.1"


class Desk:
    """A book, a directory with one operator, and the accounts over both."""

    def __init__(self) -> None:
        self.book = Book()
        self.directory = Directory(self.book.store)
        self.passwords = Passwords(WEAK)
        self.settings = DeskSettings(idle_lifetime=3600, session_lifetime=7200)
        self.accounts = Accounts(self.book.store, self.directory, self.passwords, self.settings)

    async def with_kenji(self) -> Desk:
        hashed = await self.passwords.hash(PASSWORD)
        await self.directory.add(Operator(OperatorId("op-1"), "kenji", {"en": "Sato"}, password_hash=hashed))
        return self

    async def signed_in(self) -> tuple[str, Seat]:
        return await self.accounts.sign_in_by_password("kenji", PASSWORD, HERE)


@pytest.fixture
async def desk() -> Desk:
    return await Desk().with_kenji()


async def token_of(desk: Desk) -> str:
    link = await mint_sign_in_link(desk.book.store, "http://127.0.0.1:8787/console")
    start, token = link.split("/#sign-in/")
    assert start == "http://127.0.0.1:8787/console"
    assert len(token) >= 43  # 256 bits
    return token


async def refusal(attempt: object) -> SignInRefused:
    with pytest.raises(SignInRefused) as refused:
        await attempt  # type: ignore[misc]  # every attempt is a coroutine
    return refused.value


async def test_a_link_signs_in_the_owner_once(desk: Desk) -> None:
    token = await token_of(desk)
    cookie, seat = await desk.accounts.sign_in_by_link(token, HERE)
    assert seat.operator.id == OWNER
    assert await desk.accounts.seat(cookie) == seat
    assert (await refusal(desk.accounts.sign_in_by_link(token, HERE))).code == "link_used"


async def test_a_link_grows_too_old(desk: Desk) -> None:
    token = await token_of(desk)
    desk.book.clock += 15 * 60_000
    assert (await refusal(desk.accounts.sign_in_by_link(token, HERE))).code == "link_used"


async def test_a_made_up_link_opens_nothing(desk: Desk) -> None:
    assert (await refusal(desk.accounts.sign_in_by_link("x" * 43, HERE))).code == "link_used"


async def test_a_link_can_be_for_somebody_else(desk: Desk) -> None:
    link = await mint_sign_in_link(desk.book.store, "http://x", OperatorId("op-1"))
    _, seat = await desk.accounts.sign_in_by_link(link.rsplit("/", 1)[1], HERE)
    assert seat.operator.account == "kenji"
    await desk.directory.close(OperatorId("op-1"))
    late = await mint_sign_in_link(desk.book.store, "http://x", OperatorId("op-1"))
    assert (await refusal(desk.accounts.sign_in_by_link(late.rsplit("/", 1)[1], HERE))).code == "wrong"


async def test_the_store_holds_no_secret(desk: Desk) -> None:
    link = await token_of(desk)
    cookie, _ = await desk.signed_in()
    kept = json.dumps([desk.book.lasting, {name: value for name, (value, _) in desk.book.passing.items()}])
    assert link not in kept
    assert cookie not in kept
    assert PASSWORD not in kept


@pytest.mark.parametrize("account", ["kenji", " Kenji ", "ｋｅｎｊｉ"])
async def test_a_password_signs_in(desk: Desk, account: str) -> None:
    _, seat = await desk.accounts.sign_in_by_password(account, PASSWORD, HERE)
    assert seat.operator.id == OperatorId("op-1")


async def test_nobody_learns_what_was_wrong(desk: Desk) -> None:
    wrong = await refusal(desk.accounts.sign_in_by_password("kenji", "another password", HERE))
    unknown = await refusal(desk.accounts.sign_in_by_password("nobody", PASSWORD, HERE))
    assert (wrong.code, unknown.code) == ("wrong", "wrong")


async def test_an_unknown_account_costs_the_same_check(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[str] = []
    honest = desk.passwords._verify

    def verify(expected: str, password: str) -> bool:
        checks.append(password)
        return honest(expected, password)

    monkeypatch.setattr(desk.passwords, "_verify", verify)
    for account in ("nobody", "owner", "kenji"):
        await refusal(desk.accounts.sign_in_by_password(account, "a wrong password", HERE))
    assert len(checks) == 3


async def test_the_owner_has_no_password_to_guess(desk: Desk) -> None:
    await desk.directory.ensure_owner()
    assert (await refusal(desk.accounts.sign_in_by_password("owner", "", HERE))).code == "wrong"


async def test_attempts_on_one_account_run_out_from_anywhere(desk: Desk) -> None:
    for number in range(ACCOUNT_BURST):
        await refusal(desk.accounts.sign_in_by_password("kenji", "wrong", f"198.51.100.{number}"))
    late = await refusal(desk.accounts.sign_in_by_password("kenji", PASSWORD, "203.0.113.9"))
    assert late.code == "too_many"
    assert late.retry_after > 0
    desk.book.clock += (late.retry_after + 1) * 1000
    await desk.signed_in()


async def test_attempts_from_one_address_run_out_on_any_account(desk: Desk) -> None:
    for number in range(ADDRESS_BURST):
        await refusal(desk.accounts.sign_in_by_password(f"guess{number}", "wrong", HERE))
    assert (await refusal(desk.accounts.sign_in_by_password("kenji", PASSWORD, HERE))).code == "too_many"
    assert (await refusal(desk.accounts.sign_in_by_link("x" * 43, HERE))).code == "too_many"
    await desk.accounts.sign_in_by_password("kenji", PASSWORD, "203.0.113.9")


async def test_a_seat_that_is_used_stays_until_its_longest(desk: Desk) -> None:
    cookie, _ = await desk.signed_in()
    for _ in range(3):
        desk.book.clock += 2_000_000
        assert await desk.accounts.seat(cookie) is not None
    desk.book.clock += 1_200_000  # 7,200 s since it began
    assert await desk.accounts.seat(cookie) is None


async def test_a_seat_that_is_not_used_ends(desk: Desk) -> None:
    cookie, seat = await desk.signed_in()
    desk.book.clock += 3_599_000
    assert await desk.accounts.look(seat) is not None  # an open page looks, which is not using
    desk.book.clock += 1_000
    assert await desk.accounts.seat(cookie) is None
    assert await desk.accounts.look(seat) is None


async def test_a_seat_that_is_given_up_does_not_come_back_by_a_late_touch(desk: Desk) -> None:
    cookie, seat = await desk.signed_in()
    desk.book.clock += TOUCH
    await desk.accounts.sign_out(seat)
    await desk.accounts._touch(seat.digest, desk.book.clock)
    assert await desk.accounts.seat(cookie) is None


async def test_a_new_password_or_a_closed_account_ends_the_seat(desk: Desk) -> None:
    cookie, seat = await desk.signed_in()
    await desk.directory.set_password(seat.operator.id, await desk.passwords.hash("another long password"))
    assert await desk.accounts.seat(cookie) is None
    cookie, _ = await desk.accounts.sign_in_by_password("kenji", "another long password", HERE)
    await desk.directory.close(seat.operator.id)
    assert await desk.accounts.seat(cookie) is None


async def test_what_one_process_lets_in_another_does_at_once(desk: Desk) -> None:
    """The other one reads the accounts every few seconds only."""
    other = Accounts(desk.book.store, Directory(desk.book.store), desk.passwords, desk.settings)
    link = await mint_sign_in_link(desk.book.store, "http://x", OperatorId("op-1"))
    cookie, seat = await other.sign_in_by_link(link.rsplit("/", 1)[1], HERE)
    assert await desk.accounts.seat(cookie) == seat
    await desk.directory.set_password(OperatorId("op-1"), await desk.passwords.hash("another good one"))
    assert await other.seat(cookie) is not None, "it has not heard of it"
    cookie, _ = await desk.accounts.sign_in_by_password("kenji", "another good one", HERE)
    assert await other.seat(cookie) is not None


async def test_changed_desks_hold_at_once(desk: Desk) -> None:
    cookie, seat = await desk.signed_in()
    await desk.directory.change(replace(seat.operator, names={"en": "Ken"}))
    now = await desk.accounts.seat(cookie)
    assert now is not None
    assert now.operator.names == {"en": "Ken"}


@pytest.mark.parametrize("cookie", ["", "x", "é" * 40, "x" * 101])
async def test_a_strange_cookie_is_nobody(desk: Desk, cookie: str) -> None:
    assert await desk.accounts.seat(cookie) is None


async def test_old_hashes_are_made_anew_without_signing_anybody_out(desk: Desk) -> None:
    cookie, seat = await desk.signed_in()
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    accounts = Accounts(desk.book.store, desk.directory, stronger, desk.settings)
    await accounts.sign_in_by_password("kenji", PASSWORD, HERE)
    renewed = desk.directory.get(seat.operator.id)
    assert renewed is not None
    assert renewed.password_hash != seat.operator.password_hash
    assert await accounts.seat(cookie) is not None


async def test_a_password_is_one_in_either_spelling(desk: Desk) -> None:
    hashed = await desk.passwords.hash("ｐａｓｓword が漏れた 12")
    assert await desk.passwords.matches("password が漏れた 12", hashed)
    assert not await desk.passwords.matches("password が漏れた 13", hashed)


@pytest.mark.parametrize(
    ("password", "account"), [("short", ""), ("x" * 257, ""), ("kenji@example.com", "Kenji@example.com")]
)
async def test_a_password_that_protects_nothing_is_refused(password: str, account: str) -> None:
    with pytest.raises(PasswordError) as refused:
        await Passwords(WEAK).hash(password, account=account)
    assert password not in str(refused.value)


async def test_a_damaged_hash_opens_nothing() -> None:
    assert not await Passwords(WEAK).matches(PASSWORD, "not a hash")
