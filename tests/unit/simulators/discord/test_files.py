"""What becomes of a file's name at Discord."""

from __future__ import annotations

import pytest

from tests.simulators.discord.composing import named


@pytest.mark.parametrize(
    ("given", "kept", "title"),
    [
        ("a.png", "a.png", ""),
        ("my file.png", "my_file.png", ""),
        ("hello (world).png", "hello_world.png", "hello (world)"),
        ("_bug1.png", "bug1.png", "_bug1"),
        ("\u5165\u91d1.png", "unknown.png", "\u5165\u91d1"),
        ("Makefile", "Makefile", ""),
    ],
)
def test_a_name_loses_what_an_address_cannot_bear_and_is_kept_as_a_title(given: str, kept: str, title: str) -> None:
    assert named(given) == (kept, title)
