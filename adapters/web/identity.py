"""Who a customer is: our own signed tokens for visitors and uploads, and the site's short-lived JWT for its customers.

Which session somebody reaches follows from here and from nothing that they send besides. Every token is made for one
purpose, names the key that signed it, and travels in a frame or a header, never in a URL. Times are seconds UTC and
always an argument.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.types import Options

from adapters.web.protocol import ProblemError
from bridge.messages import About
from config.settings import JwtKey, JwtSettings
from routing.ids import CustomerKey

VISITOR_DAYS = 180
VISITOR_SECONDS = VISITOR_DAYS * 24 * 3600
"""Life of a visitor token: how long somebody without an account finds their conversation again."""

UPLOAD_SECONDS = 24 * 3600
"""Life of a visitor's upload token; an account's ends with its JWT."""

SUBJECT_BYTES = 128
NAME_CHARACTERS = 80
CLAIM_CHARACTERS = 200
KEY_BYTES = 32

_TOKEN_CHARACTERS = 1_024

_OPTIONS: Options = {
    "require": ["exp", "aud", "sub"],
    # Times are checked by us, against the time that we were given.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class Signer:
    """HMAC-SHA256 over one line of text. The first key signs; all of them verify, so that a key can be replaced.

    Raises ValueError for a key under 32 bytes.
    """

    def __init__(self, keys: Sequence[bytes], purpose: str) -> None:
        if not keys or any(len(key) < KEY_BYTES for key in keys):
            raise ValueError(f"a signing key has at least {KEY_BYTES} bytes")
        self._purpose = f"kakehashi {purpose} 1\0".encode()
        self._keys = {_key_id(key): key for key in reversed(keys)}
        self._signing = _key_id(keys[0])

    def sign(self, claim: str) -> str:
        """`key id.claim.signature`, safe in a header."""
        text = f"{self._signing}.{_encode(claim.encode())}"
        return f"{text}.{_encode(self._mac(self._keys[self._signing], text))}"

    def verify(self, token: str) -> str | None:
        """The claim, or None when the token is forged, cut, or of a key that is gone."""
        text, _, signature = token.rpartition(".")
        key_id, _, claim = text.partition(".")
        key = self._keys.get(key_id)
        if key is None or len(token) > _TOKEN_CHARACTERS or not token.isascii():
            return None
        if not hmac.compare_digest(_encode(self._mac(key, text)), signature):
            return None
        return urlsafe_b64decode(claim + "=" * (-len(claim) % 4)).decode()

    def _mac(self, key: bytes, text: str) -> bytes:
        return hmac.digest(key, self._purpose + text.encode(), "sha256")


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"kakehashi key id\0" + key).hexdigest()[:8]


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


# ---------------------------------------------------------------------------------------------- visitors


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor token that is valid. `id` is what is revoked; `issued` in seconds UTC."""

    customer: CustomerKey
    id: str
    issued: int

    @property
    def expires(self) -> int:
        return self.issued + VISITOR_SECONDS


class VisitorTokens:
    """Tokens for people whom the site does not name: a random id of 128 bits, signed with site and issue time."""

    def __init__(self, keys: Sequence[bytes], site: str) -> None:
        self._signer = Signer(keys, "visitor")
        self._site = site

    def mint(self, now: float) -> tuple[str, Visitor]:
        """A new visitor and their token."""
        visitor = self._visitor(secrets.token_hex(16), int(now))
        return self._signer.sign(f"{self._site} {visitor.id} {visitor.issued}"), visitor

    def read(self, token: str, now: float) -> Visitor | None:
        """The visitor, or None for a token that is forged, of another site, or too old."""
        claim = self._signer.verify(token)
        if claim is None:
            return None
        site, identity, issued = claim.split(" ")
        visitor = self._visitor(identity, int(issued))
        return visitor if site == self._site and now < visitor.expires else None

    def _visitor(self, identity: str, issued: int) -> Visitor:
        return Visitor(CustomerKey(self._site, f"~{identity}"), identity, issued)


class UploadTokens:
    """What a page shows when it uploads. `identity` is the visitor token's id, empty for an account."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._signer = Signer(keys, "upload")

    def mint(self, customer: CustomerKey, identity: str, expires: float) -> str:
        return self._signer.sign(f"{int(expires)} {identity} {customer}")

    def read(self, token: str, now: float) -> tuple[str, str] | None:
        """The customer as text and the visitor token's id, or None when it is forged or has expired."""
        claim = self._signer.verify(token)
        if claim is None:
            return None
        expires, identity, customer = claim.split(" ", 2)
        return (customer, identity) if now < int(expires) else None


# ---------------------------------------------------------------------------------------------- the site's customers


@dataclass(frozen=True, slots=True)
class Account:
    """What the site says of its customer. `expires` in seconds UTC; `digest` names this very token, for revoking."""

    customer: CustomerKey
    name: str
    locale: str
    claims: Mapping[str, str]
    expires: int
    digest: str


class SiteKeys:
    """Verifies what the site signs: only with the keys and algorithms of the settings, each key with its own."""

    def __init__(self, keys: Sequence[JwtKey], audience: str, leeway: float) -> None:
        """`leeway` in seconds: how far the site's clock may be off."""
        self._audience = audience
        self._leeway = leeway
        self._keys = [(key.kid, key.algorithm, _prepared(key)) for key in keys]

    def claims(self, token: str, now: float, most: float) -> dict[str, Any]:
        """What a token says that is signed, ours, and lives `most` seconds at most. Raises ProblemError."""
        claims = self._verified(token)
        self._check_lifetime(claims, now, most)
        return claims

    def _verified(self, token: str) -> dict[str, Any]:
        if not self._keys:
            raise refused("the settings name no key for site tokens (web.jwt.keys)")
        for algorithm, key in self._candidates(token):
            try:
                return jwt.decode(
                    token,
                    key,
                    algorithms=[algorithm],
                    audience=self._audience,
                    # Times are checked below, against the time that we were given.
                    options={
                        "require": ["exp", "aud", "sub"],
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                    },
                )
            except jwt.MissingRequiredClaimError as missing:
                raise refused(f"the claim {missing.claim} is missing") from None
            except jwt.InvalidAudienceError:
                raise refused("the token is for another audience") from None
            except jwt.exceptions.InvalidSubjectError:
                raise refused("sub is not a string") from None
            except (jwt.PyJWTError, UnicodeError, RecursionError):
                continue
        raise refused("no key that is alive has signed this token")

    def _candidates(self, token: str) -> list[tuple[str, Any]]:
        """The key that the token names, or every key when it names none."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except (jwt.PyJWTError, UnicodeError, RecursionError):
            raise refused("this is not a JWT") from None
        return [(algorithm, key) for name, algorithm, key in self._keys if kid in (None, name)]

    def _check_lifetime(self, claims: Mapping[str, Any], now: float, most: float) -> None:
        expires = seconds_of(claims, "exp")
        if expires is None or expires > now + most + self._leeway:
            raise refused(f"exp is more than {int(most)} s away")
        if expires + self._leeway <= now:
            raise ProblemError("expired", "the token has expired", field="jwt")
        if any((seconds_of(claims, claim) or 0) > now + self._leeway for claim in ("nbf", "iat")):
            raise refused("the token is not valid yet")


class SiteTokens:
    """Reads the tokens with which the site says who its customer is."""

    def __init__(self, settings: JwtSettings, site: str) -> None:
        self._settings = settings
        self._site = site
        self._keys = SiteKeys(settings.keys, settings.audience, settings.leeway)

    def read(self, token: str, now: float) -> Account:
        """Raises ProblemError: `token_refused` or `expired`."""
        claims = self._keys.claims(token, now, self._settings.max_lifetime)
        return Account(
            customer=CustomerKey(self._site, subject_of(claims)),
            name=_words(claims, "name", NAME_CHARACTERS) if "name" in self._settings.claims else "",
            locale=_words(claims, "locale", 35),
            claims=self._allowed(claims),
            expires=seconds_of(claims, "exp") or 0,
            digest=hashlib.sha256(token.encode()).hexdigest()[:32],
        )

    def _allowed(self, claims: Mapping[str, Any]) -> dict[str, str]:
        """The listed claims that are plain values; nothing else of a token is kept."""
        wanted = {name: claims.get(name) for name in self._settings.claims if name not in ("name", "locale")}
        return {
            name: _tidy(str(value), CLAIM_CHARACTERS)
            for name, value in wanted.items()
            if isinstance(value, str | int | float)
        }


def _prepared(key: JwtKey) -> Any:
    return jwt.get_algorithm_by_name(key.algorithm).prepare_key(key.material)


def refused(what: str, field: str = "jwt") -> ProblemError:
    """A token that is not taken, and why, in words that repeat nothing of it."""
    return ProblemError("token_refused", what, field=field)


def seconds_of(claims: Mapping[str, Any], name: str) -> int | None:
    """A claim that is a time; None when it is absent. Raises ProblemError for anything else."""
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 2**53:
        raise refused(f"{name} is not a time")
    return int(value)


def subject_of(claims: Mapping[str, Any]) -> str:
    """The account's id with the site. Raises ProblemError."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject.encode("utf-8", "replace")) <= SUBJECT_BYTES:
        raise refused(f"sub has 1 to {SUBJECT_BYTES} bytes")
    if subject.startswith("~"):
        raise refused("sub begins with ~, which marks our own visitors")
    if not subject.isprintable() or any(letter.isspace() for letter in subject):
        raise refused("sub holds characters that do not print, or spaces")
    return subject


def _words(claims: Mapping[str, Any], name: str, limit: int) -> str:
    value = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise refused(f"{name} is not a string")
    return _tidy(value or "", limit)


def _tidy(text: str, limit: int) -> str:
    """For a desk's card: one line, of a length that fits. Control and surrogate characters become spaces."""
    plain = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text)
    return plain.strip()[:limit]


# ---------------------------------------------------------------------------------------------- what a page is


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is behind a connection.

    `visitor` is who they were before they logged in: files that they uploaded then are still theirs. `token_id` and
    `jwt` name the tokens that `logout` revokes, which end by themselves at `token_expires` and `expires` (seconds UTC).
    """

    customer: CustomerKey
    about: About
    visitor: CustomerKey | None = None
    token_id: str = ""
    token_expires: int = 0
    jwt: str = ""
    expires: int | None = None
