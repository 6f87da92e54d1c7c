"""Its version, its Slack app's manifest, its Discord bot's invitation, its secrets."""

from __future__ import annotations

import pytest

from tests.unit.bridge.cli.typed import FakeWiring, kakehashi


def test_version_is_one_line() -> None:
    assert kakehashi("version").out.startswith("kakehashi ")


def test_the_manifest_is_printed_as_it_is() -> None:
    assert kakehashi("slack manifest").out == "display_information: {}\n"


def test_the_invitation_is_printed_for_the_application_that_is_named_or_asked_for() -> None:
    assert kakehashi("discord invite").out.endswith("client_id=asked\n")
    assert kakehashi("discord invite --application 129000000000000000").out.endswith("client_id=129000000000000000\n")


def test_an_application_is_an_id() -> None:
    with pytest.raises(SystemExit):
        kakehashi("discord invite --application kakehashi")


def test_a_secret_is_rotated_by_name() -> None:
    wiring = FakeWiring()
    answer = kakehashi("secrets rotate visitor_tokens", wiring)
    assert wiring.asked == [("rotate", "visitor_tokens")]
    assert "restart every process" in answer.out
