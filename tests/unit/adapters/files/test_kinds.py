import pytest

from adapters.files.kinds import GIF, JPEG, PDF, PNG, VOICE, WEBP, Kind, kind_of
from tests.unit.adapters.files import samples


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (samples.png(), PNG),
        (samples.encoded(samples.picture(), "JPEG"), JPEG),
        (samples.encoded(samples.picture(), "WEBP"), WEBP),
        (samples.encoded(samples.picture(), "GIF"), GIF),
        (samples.pdf(), PDF),
    ],
)
def test_the_content_tells_the_type(content: bytes, kind: Kind) -> None:
    assert kind_of(content[:16]) is kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"<!doctype html><script>",
        b"\xef\xbb\xbf%PDF-1.4",
        b" %PDF-1.4",
        b"\n\n%PDF-1.4 behind a line",
        b"PK\x03\x04",
        b"MZ\x90\x00",
        b"BM6\x00",
        b"II*\x00",
        b"\x00\x00\x00\x1cftypheic",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"\x89PNG\n",
        b"GIF90a",
    ],
)
def test_everything_else_is_no_type_that_is_taken(content: bytes) -> None:
    assert kind_of(content[:16]) is None


def test_voice_messages_are_operators_alone() -> None:
    assert kind_of(b"OggS" + b"\0" * 12) is None
    assert kind_of(b"OggS" + b"\0" * 12, by_operator=True) is VOICE
    assert kind_of(b"%PDF-1.7".ljust(16), by_operator=True) is PDF
