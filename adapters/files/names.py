"""Names of files, made safe to show, to save and to put into a header."""

import re
import unicodedata
from urllib.parse import quote

from adapters.files.kinds import Kind

MAX_CHARACTERS = 200

# Controls, formatting (bidirectional overrides turn "gpj.exe" round), surrogates, private use, separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNSAVABLE = re.compile(r'[<>:"|?*]')  # Windows refuses these in names
_EXTENSION = re.compile(r"\.([A-Za-z][A-Za-z0-9]{0,4})$")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # devices on Windows
_HEADER_SAFE = re.compile(r"[^A-Za-z0-9 ._()-]")


def display_name(raw: str, kind: Kind) -> str:
    """The sender's name for a file, of at most 200 characters, with the extension of its real type."""
    stem, extension = _split(_visible(re.split(r"[/\\]", raw)[-1]))
    if extension.lower() not in kind.extensions:
        extension = kind.extensions[0]
    stem = stem[: MAX_CHARACTERS - len(extension) - 2].rstrip(". ") or kind.stem
    if _RESERVED.match(stem):
        stem = f"_{stem}"
    return f"{stem}.{extension}"


def plain_name(name: str) -> str:
    """What a file is called where its own name tells too much, or is too long."""
    extension = _split(name)[1]
    return f"file.{extension}" if extension else "file"


def content_disposition(name: str) -> str:
    """`attachment` with the name in both forms (RFC 6266): plain ASCII, and UTF-8 (RFC 5987)."""
    plain = _HEADER_SAFE.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _visible(name: str) -> str:
    seen = "".join(c if unicodedata.category(c) not in _UNSEEN else " " for c in name if not _joins(c))
    return _UNSAVABLE.sub("_", " ".join(unicodedata.normalize("NFC", seen).split())).strip(". ")


def _joins(character: str) -> bool:
    """Formatting characters leave no gap behind, line breaks and tabs do."""
    return unicodedata.category(character) == "Cf"


def _split(name: str) -> tuple[str, str]:
    found = _EXTENSION.search(name)
    return (name[: found.start()], found[1]) if found else (name, "")
