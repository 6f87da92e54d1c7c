"""Voice messages: Opus in Ogg, looked at from outside, never decoded, kept byte for byte."""

import os
from pathlib import Path
from typing import BinaryIO

_HEADER_BYTES = 27  # RFC 3533, 6: a page's header up to its table of segments
_FIRST = b"OpusHead"  # RFC 7845, 5.1: how the first packet begins


def is_whole_voice_message(path: Path) -> bool:
    """Whether the file is pages of Ogg from its first byte to its last, and Opus, so that nothing was cut off or hung
    on."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        at = _page_end(file, 0)
        if at == 0 or not _begins_with_opus(file):
            return False
        while 0 < at < size:
            at = _page_end(file, at)
        return at == size


def _page_end(file: BinaryIO, start: int) -> int:
    """Where the page that begins at `start` ends; 0 where none does."""
    file.seek(start)
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or header[:5] != b"OggS\0":
        return 0
    segments = file.read(header[26])
    return start + _HEADER_BYTES + len(segments) + sum(segments) if len(segments) == header[26] else 0


def _begins_with_opus(file: BinaryIO) -> bool:
    file.seek(_HEADER_BYTES - 1)
    segments = file.read(1)[0]
    file.seek(segments, os.SEEK_CUR)
    return file.read(len(_FIRST)) == _FIRST
