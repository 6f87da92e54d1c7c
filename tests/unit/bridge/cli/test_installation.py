"""Its version, its Slack app's manifest, its secrets."""

from __future__ import annotations

from tests.unit.bridge.cli.typed import FakeWiring, kakehashi


def test_version_is_one_line() -> None:
    assert kakehashi("version").out.startswith("kakehashi ")


def test_the_manifest_is_printed_as_it_is() -> None:
    assert kakehashi("slack manifest").out == "display_information: {}\n"


def test_a_secret_is_rotated_by_name() -> None:
    wiring = FakeWiring()
    answer = kakehashi("secrets rotate visitor_tokens", wiring)
    assert wiring.asked == [("rotate", "visitor_tokens")]
    assert "restart every process" in answer.out
