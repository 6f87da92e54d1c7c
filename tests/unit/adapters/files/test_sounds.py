"""A voice message is whole pages of Ogg with Opus in them, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.files.sounds import is_whole_voice_message


def page(*packets: bytes) -> bytes:
    segments = b"".join(bytes((*[255] * (len(one) // 255), len(one) % 255)) for one in packets)
    return b"OggS\0" + bytes(21) + bytes((len(segments),)) + segments + b"".join(packets)


WHOLE = page(b"OpusHead\1\2") + page(b"OpusTags") + page(b"\7" * 300, b"\7" * 40)


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (WHOLE, True),
        (page(b"OpusHead"), True),
        (WHOLE[:-1], False),
        (WHOLE + b"PK\3\4", False),
        (WHOLE + b"OggS", False),
        (page(b"\1vorbis"), False),
        (b"OggS", False),
        (b"OggS\0" + bytes(21) + b"\xff", False),
        (b"", False),
    ],
)
def test_from_the_first_byte_to_the_last(tmp_path: Path, content: bytes, whole: bool) -> None:
    file = tmp_path / "voice.ogg"
    file.write_bytes(content)
    assert is_whole_voice_message(file) is whole
