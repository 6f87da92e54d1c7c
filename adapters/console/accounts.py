"""Who sits at the desk: signing in by a one-time link or a password, and the seat that a browser then holds.

A *seat* is a signed-in browser. The browser keeps a random token; the store keeps its digest, so that a copy of the
store opens no desk. A seat ends when it was not used for `desk.idle_lifetime`, at the latest after
`desk.session_lifetime`, when it is given up, and when the account's password changes or the account is closed.

Every limit is drawn from buckets in the store: several processes share them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from dataclasses import dataclass, replace

import structlog
from aiohttp import web

from adapters.console.passwords import Passwords
from bridge.directory import OWNER, Directory, Operator, normal_account
from bridge.ports import Store
from config.settings import DeskSettings
from routing.ids import OperatorId

TOUCH = 60_000  # ms: a seat's last use is written no more often than this

# Attempts: this many at once, then one in so many seconds. An attacker who exhausts an account's bucket keeps its
# operator from using the password meanwhile; a one-time link still works, since links draw from the address only.
ACCOUNT_BURST, ACCOUNT_EVERY = 10, 30
ADDRESS_BURST, ADDRESS_EVERY = 20, 10

_LINK = "desk-link/"
_SEAT = "desk-seat/"  # written once, so that a late touch cannot bring back a seat that was given up
_USED = "desk-used/"

_log = structlog.get_logger(__name__)


class SignInRefused(Exception):  # noqa: N818 - says what happened, as facts do
    """`code` is for the page: `wrong`, `link_used` or `too_many`. Never says which part was wrong."""

    def __init__(self, code: str, retry_after: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after  # seconds


@dataclass(frozen=True, slots=True)
class Seat:
    """A signed-in browser. `digest` names it; the token itself is the browser's. Times are the store's."""

    digest: str
    operator: Operator
    began: int
    used: int


SEAT = web.RequestKey("desk_seat", Seat)


def operator_of(request: web.Request) -> Operator:
    """Who asks. Only where the server has let nobody in without a seat."""
    return request[SEAT].operator


"""Where the server's guard puts the seat of a request."""


async def mint_sign_in_link(
    store: Store, console_url: str, operator: OperatorId = OWNER, *, lifetime: float = 900
) -> str:
    """A link that signs in once, within `lifetime` seconds. `console_url` is the desk's, without a closing slash.

    The token stands behind a `#`: it reaches no proxy's log, and a program that looks at links does not use it up.
    """
    token = secrets.token_urlsafe(32)
    await store.put(_LINK + _digest(token), operator, int(lifetime * 1000))
    return f"{console_url}/#sign-in/{token}"


class Accounts:
    """Signs in and out, and knows each browser's seat. Any method raises StoreUnavailableError."""

    def __init__(self, store: Store, directory: Directory, passwords: Passwords, settings: DeskSettings) -> None:
        self._store = store
        self._idle = int(settings.idle_lifetime * 1000)
        self._longest = int(settings.session_lifetime * 1000)
        self._directory = directory
        self._passwords = passwords

    async def sign_in_by_link(self, token: str, address: str) -> tuple[str, Seat]:
        """Use a one-time link up. The seat and the token for its cookie. Raises SignInRefused."""
        await self._draw(f"desk-sign-in/address/{address}", ADDRESS_BURST, ADDRESS_EVERY)
        named = await self._store.take_once(_LINK + _digest(token))
        if named is None:
            raise self._refused("link_used")
        operator = await self._directory.ensure_owner() if named == OWNER else await self._account(OperatorId(named))
        if operator is None or not operator.active:
            raise self._refused("wrong")
        return await self._sit_down(operator)

    async def sign_in_by_password(self, account: str, password: str, address: str) -> tuple[str, Seat]:
        """The seat and the token for its cookie. Raises SignInRefused; unknown accounts take as long as known ones."""
        await self._draw(f"desk-sign-in/address/{address}", ADDRESS_BURST, ADDRESS_EVERY)
        await self._draw(f"desk-sign-in/account/{_digest(normal_account(account))}", ACCOUNT_BURST, ACCOUNT_EVERY)
        operator = self._directory.by_account(account)
        usable = operator.password_hash if operator and operator.active else ""
        right = await self._passwords.matches(password, usable)
        if not right or operator is None:
            raise self._refused("wrong")
        return await self._sit_down(await self._with_fresh_hash(operator, password))

    async def seat(self, token: str) -> Seat | None:
        """Whose browser this is, and that it is used now; None when the seat has ended."""
        if not token or len(token) > 100 or not token.isascii():
            return None
        return await self._look(_digest(token))

    async def look(self, seat: Seat) -> Seat | None:
        """The seat as it stands now. Looking is not using: an open page alone does not keep it."""
        return await self._look(seat.digest, use=False)

    async def sign_out(self, seat: Seat) -> None:
        """Give the seat up."""
        await self._store.forget(_SEAT + seat.digest)
        _log.info("desk_signed_out", operator=seat.operator.id)

    async def _look(self, digest: str, *, use: bool = True) -> Seat | None:
        record, used = await asyncio.gather(self._store.get(_SEAT + digest), self._store.get(_USED + digest))
        if record is None or used is None:
            return None
        fields = json.loads(record)
        operator = await self._account(OperatorId(fields["operator"]), fields["generation"])
        if operator is None or not operator.active or operator.generation != fields["generation"]:
            return None
        now = await self._store.now()
        seat = Seat(digest, operator, fields["began"], int(used))
        if now - seat.used >= self._idle or now - seat.began >= self._longest:
            return None
        if use and now - seat.used >= TOUCH:
            await self._touch(digest, now)
        return seat

    async def _account(self, named: OperatorId, generation: int = 0) -> Operator | None:
        """As it was when the link or the seat was made: another process may have changed it a moment ago."""
        known = self._directory.get(named)
        if known is None or known.generation < generation:
            await self._directory.refresh()
            known = self._directory.get(named)
        return known

    async def _sit_down(self, operator: Operator) -> tuple[str, Seat]:
        token = secrets.token_urlsafe(32)
        now = await self._store.now()
        seat = Seat(_digest(token), operator, now, now)
        record = {"operator": operator.id, "generation": operator.generation, "began": now}
        await self._touch(seat.digest, now)
        await self._store.put(_SEAT + seat.digest, json.dumps(record), self._longest)
        _log.info("desk_signed_in", operator=operator.id)
        return token, seat

    async def _touch(self, digest: str, now: int) -> None:
        await self._store.put(_USED + digest, str(now), self._idle)

    async def _with_fresh_hash(self, operator: Operator, password: str) -> Operator:
        """Hashes made with weaker parameters than today's are made anew while the password is at hand."""
        if not self._passwords.outdated(operator.password_hash):
            return operator
        renewed = await self._passwords.rehash(password)
        return await self._directory.change(replace(operator, password_hash=renewed))

    async def _draw(self, bucket: str, burst: int, every: int) -> None:
        granted, wait = await self._store.draw(bucket, 1, 1 / every, burst)
        if not granted:
            raise self._refused("too_many", max(1, wait // 1000))

    @staticmethod
    def _refused(code: str, retry_after: int = 0) -> SignInRefused:
        _log.warning("desk_sign_in_refused", reason=code)
        return SignInRefused(code, retry_after)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
