"""What draws an operator's words."""

from __future__ import annotations

from pathlib import Path

ADAPTERS = Path(__file__).parents[4] / "adapters"


def test_both_faces_draw_marks_alike() -> None:
    """Adapters share nothing, so the module stands in both; it must not drift apart."""
    assert (ADAPTERS / "web/widget/marks.js").read_text() == (ADAPTERS / "console/page/marks.js").read_text()
