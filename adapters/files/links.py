"""Links to files: signed, expiring, each for one reader. No cookie is needed, so the files' origin has none."""

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass
from urllib.parse import quote

from bridge.files import StoredFile

_PURPOSE = b"kakehashi file link 1\0"  # a signature made for anything else is no link
_MAC_BYTES = hashlib.sha256().digest_size
_HEADER = struct.Struct(">QB")  # expiry in seconds UTC, length of the file id
_MAX_TOKEN = 1024
_MIN_SECRET = 32


@dataclass(frozen=True, slots=True)
class Link:
    """What a valid link says. `expires` in seconds UTC."""

    file_id: str
    reader: str
    expires: int


class LinkSigner:
    """Makes links that live for at most `ttl` seconds and at least three quarters of it.

    `previous` is the secret before the last rotation: links made with it are still honoured. The reader is
    legible to whoever holds the link: name readers by id, not by mail address. Raises ValueError for a secret
    under 32 bytes or a ttl under a minute.
    """

    def __init__(self, secret: bytes, ttl: int, previous: bytes | None = None) -> None:
        self._secrets = [secret] if previous is None else [secret, previous]
        if any(len(each) < _MIN_SECRET for each in self._secrets):
            raise ValueError(f"a link secret has at least {_MIN_SECRET} bytes")
        if ttl < 60:
            raise ValueError("links live for at least 60 seconds")
        self.ttl = ttl

    def link(self, file_id: str, reader: str, now: float) -> str:
        """A token that lets `reader` read `file_id` from `now` (seconds UTC) on.

        Raises ValueError for a reader of more than some 600 bytes.
        """
        expires = self.expires(now)
        minted = file_id.encode()
        claim = _HEADER.pack(expires, len(minted)) + minted + reader.encode()
        token = _encode(_mac(self._secrets[0], claim) + claim)
        if len(token) > _MAX_TOKEN:
            raise ValueError("the reader's name is too long for a link")
        return token

    def expires(self, now: float) -> int:
        """When a link that is made now runs out (seconds UTC)."""
        step = self.ttl // 4
        return int(now + self.ttl) // step * step

    def path(self, file: StoredFile, reader: str, now: float) -> str:
        """The token and the display name: what goes behind the public address of the files."""
        return f"{self.link(file.file_id, reader, now)}/{quote(file.name, safe='')}"

    def verify(self, token: str, now: float) -> Link | None:
        """What the token says, or None when it is forged, cut, or expired at `now` (seconds UTC)."""
        raw = _decode(token)
        if len(raw) < _MAC_BYTES + _HEADER.size:
            return None
        mac, claim = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        # every secret is tried, so that the time taken says nothing about which one signed
        matches = [hmac.compare_digest(mac, _mac(secret, claim)) for secret in self._secrets]
        if not any(matches):
            return None
        link = _claimed(claim)
        return link if now < link.expires else None


def _claimed(claim: bytes) -> Link:
    expires, length = _HEADER.unpack_from(claim)
    named = claim[_HEADER.size :]
    return Link(named[:length].decode(), named[length:].decode(), expires)


def _mac(secret: bytes, claim: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE + claim, "sha256")


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(token: str) -> bytes:
    """The bytes of a token in its one canonical spelling; empty for anything else."""
    if len(token) > _MAX_TOKEN or not token.isascii():
        return b""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return b""
    return raw if _encode(raw) == token else b""
