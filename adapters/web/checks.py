"""The site's answer to an identity check: a token that its server signs and hands in at `POST /identity`.

The customer proves who they are on the site's own page, and nothing of what they enter there comes here: only that it
went well or not, when, and by which means. A token answers one request of ours, named by its nonce, of the account that
it names, once; handed in again it changes nothing and is answered as the first time. See docs/embedding.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from adapters.web.buckets import Bucket
from adapters.web.identity import SiteKeys, refused, seconds_of, subject_of
from adapters.web.protocol import ProblemError
from bridge.errors import OverloadedError, StoreCorruptError, StoreUnavailableError
from bridge.relay import Receipt, Relay
from config.settings import WebSettings
from routing.ids import CustomerKey, InputKey
from routing.inputs import CustomerChecked

MEDIA_TYPE = "application/jwt"
"""RFC 7519, 10.3.1."""

TOKEN_BYTES = 8 * 1024
BODY_WITHIN = 10.0
"""Seconds for the token to arrive."""

NONCE_CHARACTERS = 128
A_SECOND = 50
AT_ONCE = 200
"""Tokens that are looked at: a signature costs more to verify than to make up."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the site says of a check. `nonce` is our request's."""

    customer: CustomerKey
    nonce: str
    passed: bool


class CheckTokens:
    """Reads those tokens. Their audience is not that of the tokens with which customers log in."""

    def __init__(self, settings: WebSettings, site: str) -> None:
        chosen = settings.identity
        self._settings = chosen
        self._most = settings.jwt.max_lifetime
        self._site = site
        self._keys = SiteKeys(chosen.keys or settings.jwt.keys, chosen.audience, chosen.leeway)

    def read(self, token: str, now: float) -> Outcome:
        """Raises ProblemError: `token_refused` or `expired`. `now` in seconds UTC."""
        claims = self._keys.claims(token, now, self._most)
        passed = claims.get("passed")
        if not isinstance(passed, bool):
            raise refused("passed is true or false", "passed")
        if passed:
            self._check_proof(claims, now)
        return Outcome(CustomerKey(self._site, subject_of(claims)), _nonce(claims), passed)

    def _check_proof(self, claims: Mapping[str, Any], now: float) -> None:
        """When it was proved, and how (OpenID Connect Core, 2; RFC 8176)."""
        proved = seconds_of(claims, "auth_time")
        if proved is None:
            raise refused("the claim auth_time is missing", "auth_time")
        if proved > now + self._settings.leeway:
            raise refused("auth_time lies in the future", "auth_time")
        if proved < now - self._settings.max_age - self._settings.leeway:
            raise refused(f"auth_time is more than {int(self._settings.max_age)} s ago", "auth_time")
        means = claims.get("amr")
        if not isinstance(means, list) or not means or not all(isinstance(one, str) and one for one in means):
            raise refused("amr is a list that names at least one means", "amr")
        if self._settings.amr and not set(means) & set(self._settings.amr):
            raise refused(f"amr names none of {', '.join(self._settings.amr)}", "amr")


def _nonce(claims: Mapping[str, Any]) -> str:
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not 0 < len(nonce) <= NONCE_CHARACTERS:
        raise refused("the claim nonce is missing: it comes with the customer, in the address of your page", "nonce")
    return nonce


class CheckDoor:
    """`POST /identity`, from the site's server: 204 when it is recorded, else JSON that says what is wrong.

    `clock` gives seconds that only grow, `wall_clock` seconds UTC.
    """

    def __init__(
        self, relay: Relay, tokens: CheckTokens, clock: Callable[[], float], wall_clock: Callable[[], float]
    ) -> None:
        self._relay = relay
        self._tokens = tokens
        self._clock = clock
        self._wall_clock = wall_clock
        self._bucket = Bucket()

    async def handle(self, request: web.Request) -> web.Response:
        wait = self._bucket.draw(self._clock(), A_SECOND, AT_ONCE)
        if wait:
            return _wrong(429, "rate", "too many tokens", "hand it in again in a moment", int(wait) + 1)
        if request.content_type != MEDIA_TYPE:
            return _wrong(415, "wrong_type", f"the body is not {MEDIA_TYPE}", "send the token alone, and say so")
        try:
            outcome = self._tokens.read(await _token(request), self._wall_clock())
        except ProblemError as problem:
            log.info("identity_check_refused", code=problem.code, claim=problem.field)
            return _wrong(400, problem.code, problem.what, "see docs/embedding.md, identity checks")
        except TimeoutError:
            return _wrong(408, "too_slow", "the body came too slowly", "send it again")
        return await self._record(outcome)

    async def _record(self, outcome: Outcome) -> web.Response:
        key = InputKey(f"web/identity/{outcome.nonce}/{int(outcome.passed)}")
        event = CustomerChecked(outcome.nonce, outcome.passed)
        try:
            answer = await self._relay.from_customer(outcome.customer, event, key)
        except (StoreUnavailableError, StoreCorruptError, OverloadedError):
            return _wrong(503, "not_stored", "it could not be stored", "hand the same token in again", 2)
        if not isinstance(answer, Receipt):
            log.info("identity_check_refused", code="no_such_check")
            return _wrong(409, "no_such_check", "no conversation of this account waits for this nonce", _MEND)
        log.info("identity_check_answered", session=answer.stored.session.id, passed=outcome.passed, new=answer.fresh)
        return web.Response(status=204)


_MEND = "the request has lapsed or is answered, or the customer is not logged in to the chat: ask for a new check"


async def _token(request: web.Request) -> str:
    """Raises ProblemError or TimeoutError."""
    body = bytearray()
    async with asyncio.timeout(BODY_WITHIN):
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > TOKEN_BYTES:
                raise refused(f"a token has at most {TOKEN_BYTES} bytes")
    try:
        return body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise refused("this is not a JWT") from None


def _wrong(status: int, code: str, what: str, mend: str, after: int | None = None) -> web.Response:
    headers = {"Cache-Control": "no-store", **({"Retry-After": str(after)} if after is not None else {})}
    return web.json_response({"error": {"code": code, "what": what, "mend": mend}}, status=status, headers=headers)
