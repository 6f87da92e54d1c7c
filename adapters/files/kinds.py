"""The types that are taken, told by content. Everything about which types there are lives here.

SVG and HTML are missing on purpose: they run script. So are archives and office documents.
"""

from dataclasses import dataclass

HEAD_BYTES = 16  # enough for every signature below


@dataclass(frozen=True, slots=True)
class Kind:
    """`form` is the image library's name for it; None for what is never decoded here."""

    media_type: str
    extensions: tuple[str, ...]  # the first one is given to files that have none
    form: str | None
    stem: str  # the name of a file that came without one


PNG = Kind("image/png", ("png",), "PNG", "image")
JPEG = Kind("image/jpeg", ("jpg", "jpeg"), "JPEG", "image")
WEBP = Kind("image/webp", ("webp",), "WEBP", "image")
GIF = Kind("image/gif", ("gif",), "GIF", "image")
PDF = Kind("application/pdf", ("pdf",), None, "document")
VOICE = Kind("audio/ogg", ("ogg", "opus"), None, "voice-message")
"""Of operators alone: what they say on a network that has voice messages. Customers have no use for it."""


def kind_of(head: bytes, *, by_operator: bool = False) -> Kind | None:
    """The type of a file from its first HEAD_BYTES bytes, or None when it is not one that is taken."""
    if by_operator and head.startswith(b"OggS"):
        return VOICE
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    return None


_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"%PDF-", PDF),  # at byte 0: viewers search further, but what they would skip there is not ours to keep
)
