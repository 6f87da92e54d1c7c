"""PDF: looked at from outside, never rendered, kept byte for byte."""

import os
import re
from pathlib import Path

_TAIL_BYTES = 2048
# ISO 32000-1, 7.5.5: the last lines are `startxref`, an offset, `%%EOF`. Padding behind it is seen in practice,
# anything else there would be a second file (a ZIP archive is read from its end).
_ENDING = re.compile(rb"startxref[\r\n\t ]+(\d{1,10})[\r\n\t ]+%%EOF[\r\n\t \x00]*\Z")


def is_whole_pdf(path: Path) -> bool:
    """Whether the file begins and ends as a PDF does, so that nothing was cut off or hung on."""
    with path.open("rb") as file:
        if re.match(rb"%PDF-\d\.\d", file.read(8)) is None:
            return False
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        ending = _ENDING.search(file.read())
    return ending is not None and int(ending[1]) < size
