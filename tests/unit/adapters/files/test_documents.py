from pathlib import Path

import pytest

from adapters.files.documents import is_whole_pdf
from tests.unit.adapters.files import samples

ZIP_ENDING = b"PK\x05\x06" + b"\0" * 18


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n\r\n", b"\0" * 100, b"  \n"])
def test_a_whole_document_is_taken_with_the_padding_that_programs_add(tmp_path: Path, ending: bytes) -> None:
    assert is_whole_pdf(saved(tmp_path, samples.pdf(ending=ending)))


@pytest.mark.parametrize(
    "content",
    [
        samples.pdf()[:-20],
        samples.pdf(ending=ZIP_ENDING),
        samples.pdf(ending=b"<script>alert(1)</script>"),
        samples.pdf(ending=ZIP_ENDING + b"%%EOF"),
        b"%PDF-1.4\nstartxref\n999999\n%%EOF",
        b"%PDF-x.y\n" + samples.pdf()[9:],
        b"%PDF-",
        b"%PDF-1.4\n%%EOF",
        b"\n" + samples.pdf(),
    ],
)
def test_a_document_that_is_cut_or_carries_something_else_is_not(tmp_path: Path, content: bytes) -> None:
    assert not is_whole_pdf(saved(tmp_path, content))


def saved(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path
