"""Passwords of operators: argon2id, computed beside the event loop and few at a time.

One check takes some 50 ms of a core and 64 MiB, on purpose. The bound keeps a flood of attempts from taking the
machine; it queues instead, and the limits in `accounts` turn it away.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bridge.errors import KakehashiError

SHORTEST = 12
"""Characters. NIST SP 800-63B asks for 8 at least, and for 15 where nothing else is asked; twelve lies between."""

LONGEST = 256
"""Characters. Above it the time to hash is the sender's to choose."""

AT_ONCE = 2


class PasswordError(KakehashiError):
    """A password cannot be taken. Its text never holds the password."""


class Passwords:
    """Hashes and checks. `hasher` is for tests, which need not be slow."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._decoy = ""

    async def hash(self, password: str, *, account: str = "") -> str:
        """The text to keep for this password. Raises PasswordError when it is too short, too long or the account."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise PasswordError(f"a password has {SHORTEST} to {LONGEST} characters", mend="take several words")
        if account and password.casefold() == account.casefold():
            raise PasswordError("the password is the account's name", mend="take several other words")
        return await self.rehash(password)

    async def rehash(self, password: str) -> str:
        """The text to keep for a password that was accepted before."""
        async with self._room:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def matches(self, password: str, password_hash: str) -> bool:
        """Whether it is this password. An empty hash takes as long as a wrong password, and is never right."""
        decoy = await self._decoy_hash()  # made before anybody can tell by the time for whom it is needed
        expected = password_hash or decoy
        async with self._room:
            right = await asyncio.to_thread(self._verify, expected, _normal(password[:LONGEST]))
        return right and bool(password_hash) and len(password) <= LONGEST

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, expected: str, password: str) -> bool:
        try:
            return self._hasher.verify(expected, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _decoy_hash(self) -> str:
        if not self._decoy:
            self._decoy = await self.rehash(secrets.token_urlsafe())
        return self._decoy


def _normal(password: str) -> str:
    """One spelling for what keyboards spell in two ways (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
