"""Names that are fit to show, and the ones that customers may read."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.names import PublicNames, desks_of, one_line
from routing.ids import DeskId, NetworkName, Place
from routing.policy import Desk, Policy

SUPPORT = Desk(DeskId("support-ja"), NetworkName("discord"), Place("123"))


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


def test_a_channel_has_a_name_for_customers_where_a_desk_with_a_title_is() -> None:
    titles = {"support-ja": "サポート"}
    named = desks_of(
        lambda: Policy({SUPPORT.id: SUPPORT}), lambda desk, _: titles.get(desk, desk), NetworkName("discord")
    )
    assert named("123", "ja") == "サポート"
    assert named("124", "ja") is None
    titles.clear()
    assert named("123", "ja") is None, "a desk's id is not for customers"


def test_the_same_channel_id_on_another_network_is_another_channel() -> None:
    named = desks_of(lambda: Policy({SUPPORT.id: SUPPORT}), lambda desk, _: "Support", NetworkName("slack"))
    assert named("123", "ja") is None


def test_who_and_what_has_no_public_name_gets_a_neutral_word() -> None:
    names = PublicNames(somebody="同事", channel="频道", group="团队")
    assert (names.of_person("U1"), names.of_channel("C1"), names.of_group) == ("@同事", "#频道", "@团队")
