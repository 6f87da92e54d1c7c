"""Words of messages, made fit to show."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.messages import one_line


@settings(deadline=None)
@given(st.text(max_size=80), st.integers(2, 20))
def test_a_name_is_one_short_line(name: str, limit: int) -> None:
    line = one_line(name, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert "\u202e" not in line


def test_control_and_direction_marks_go_and_what_is_cut_says_so() -> None:
    assert one_line("a\n\u202eb\tc", 10) == "a b c"
    assert one_line("abcdef", 4) == "abc…"
