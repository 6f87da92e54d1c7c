"""Names that are fit to show, and the ones that customers may read."""

from __future__ import annotations

from bridge.networks.names import PublicNames, desks_of
from routing.ids import DeskId, NetworkName, Place
from routing.policy import Desk, Policy

SUPPORT = Desk(DeskId("support-ja"), NetworkName("discord"), Place("123"))


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
