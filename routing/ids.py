"""Every identifier in the house: who mints it, where it is unique, and that nobody else parses it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NewType
from urllib.parse import quote

SessionId = NewType("SessionId", str)
"""`site.partition.random`, minted by the relay when a session opens. Unique everywhere, for ever."""

ShortCode = NewType("ShortCode", str)
"""`K7Q2`: how people name a session. Minted by the store from a counter, so it is never reused."""

MessageId = NewType("MessageId", str)
"""Unique in its session. A customer's is `c:` + the widget's id; a network's is minted by its adapter."""

OperatorId = NewType("OperatorId", str)
"""An operator's account. Unique in the installation; the customer never sees it."""

DeskId = NewType("DeskId", str)
"""A desk's key in the policy."""

Topic = NewType("Topic", str)
"""A topic's key in the policy."""

IncidentId = NewType("IncidentId", str)
"""An incident that many sessions are about. Minted by whoever declares it."""

NetworkName = NewType("NetworkName", str)
"""Where operators work: `slack`, `discord`, `console`. Also the name of a lane's destination."""

Place = NewType("Place", str)
"""Where on a network a desk lives (a channel id). Written in the policy, read only by that network's adapter."""

ThreadRef = NewType("ThreadRef", str)
"""A mirror's thread on its network. Minted and read only by that network's adapter."""

PostRef = NewType("PostRef", str)
"""One post on a network. Minted and read only by that network's adapter."""

EffectId = NewType("EffectId", str)
"""Names one effect for ever, on every retry: see `effect_id`."""

InputKey = NewType("InputKey", str)
"""An input's idempotency key: the same happening always carries the same key."""


@dataclass(frozen=True, slots=True, order=True)
class CustomerKey:
    """A customer of a site. `account` is the site's own id, or `~` + a visitor's random id."""

    site: str
    account: str

    @property
    def anonymous(self) -> bool:
        return self.account.startswith("~")

    def __str__(self) -> str:
        return _spelt(self)


@lru_cache(maxsize=16_384)
def _spelt(customer: CustomerKey) -> str:
    return f"{customer.site}/{quote(customer.account, safe='~@:+')}"


# Letters and digits that are not taken for one another when read aloud or off a phone.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_FOUR = len(CODE_ALPHABET) ** 4
_STRIDE = 482_393  # coprime to 30**4, so neighbours in time do not look alike


def short_code(number: int) -> ShortCode:
    """The code of the number-th session (0, 1, 2 …). Injective: no code is given twice, longer ones come later."""
    if number < _FOUR:
        return ShortCode(_spell((number + 1) * _STRIDE % _FOUR, 4))
    return ShortCode(_spell(number, 5))


def _spell(value: int, width: int) -> str:
    letters: list[str] = []
    while value or len(letters) < width:
        value, digit = divmod(value, len(CODE_ALPHABET))
        letters.append(CODE_ALPHABET[digit])
    return "".join(reversed(letters))


_CODE = re.compile(f"[{CODE_ALPHABET}]{{4,8}}")


def read_code(text: str) -> ShortCode | None:
    """A code as somebody typed it, in either case and width; None for what is none. Whether it names a session,
    only the store knows."""
    typed = unicodedata.normalize("NFKC", text).strip().lstrip("#").upper()
    return ShortCode(typed) if _CODE.fullmatch(typed) else None


def partition_of(customer: CustomerKey, partitions: int) -> int:
    """All of a customer's sessions share a partition, so "one open session" can be checked inside one commit."""
    digest = hashlib.blake2b(str(customer).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % partitions


def session_id(site: str, partition: int, nonce: str) -> SessionId:
    return SessionId(f"{site}.{partition:x}.{nonce}")


_SESSION = re.compile(r"[^\s\x00]{1,128}\.[0-9a-f]{1,4}\.[0-9A-Za-z_-]{1,64}", re.ASCII)


def read_session_id(text: str) -> SessionId | None:
    """A session id that came from outside, which may name no session; None for what can be none."""
    return SessionId(text) if _SESSION.fullmatch(text) else None


def partition_in(session: SessionId) -> int:
    """The partition that a session id carries. Raises ValueError for what is not a session id."""
    _site, partition, _nonce = session.rsplit(".", 2)
    return int(partition, 16)


def translation_id(message: MessageId, language: str) -> MessageId:
    """Under which a message's translation is kept as a body, and its posts, with the message's own revision.

    Nobody else mints ids that begin so: customers' begin with `c:`, operators' with the name of their network.
    """
    return MessageId(f"t:{language}:{message}")


def sent_id(note: MessageId) -> MessageId:
    """The reply that a note becomes when somebody sends it: a message of its own, so that no note is ever a reply."""
    return MessageId(f"r:{note}")


def held_id(message: MessageId) -> MessageId:
    """Under which the line about held words is kept."""
    return MessageId(f"h:{message}")


def history_id(mirror: int) -> MessageId:
    """Under which the posts are kept that say in a mirror what was said before it."""
    return MessageId(f"b:{mirror}")


def effect_id(session: SessionId, cause: InputKey, kind: str, index: int) -> EffectId:
    """Derived from what caused it and never from a version or an offset: those are used again after a cut log,
    and the platform's own deduplication would then swallow a new message."""
    text = "\0".join((session, cause, kind, str(index)))
    return EffectId(hashlib.blake2b(text.encode(), digest_size=12).hexdigest())
