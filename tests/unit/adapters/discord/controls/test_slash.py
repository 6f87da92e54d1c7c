"""The commands: taken by Discord in every language, told apart from what is registered, and read as they were asked."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from adapters.discord.controls import slash
from adapters.discord.heard.happenings import Author, Commanded, Interaction
from adapters.discord.refs import Root
from adapters.discord.shown.held import SEND
from bridge.networks.card import Action
from bridge.networks.commands import Verb
from routing.ids import InputKey
from tests.simulators.discord.methods import commands
from tests.unit.adapters.discord.test_render import wording


def definitions() -> list[dict[str, Any]]:
    return slash.definitions(wording)


def test_discord_takes_them_all_and_each_is_told_of_in_every_language() -> None:
    chat, *entries = definitions()
    for one in (chat, *entries):
        commands._checked(one)
    assert [one["name"] for one in chat["options"]] == [*map(str, Verb), slash.TEMPLATE]
    for one in (chat, *chat["options"], *(option for each in chat["options"] for option in each["options"])):
        assert set(one["description_localizations"]) == {"ja", "zh-CN", "zh-TW"}
        told = "".join((one["description"], *one["description_localizations"].values()))
        assert "{" not in told, "nothing is left to be filled in"
    for names in ([one["name_localizations"].get(at) for one in chat["options"]] for at in ("ja", "zh-CN", "zh-TW")):
        assert len(set(names)) == len(names), "two commands of one name"
    assert all(set(one["name_localizations"]) == {"ja", "zh-CN", "zh-TW"} for one in entries)


def test_they_are_offered_on_servers_only_and_to_who_may_write_in_threads() -> None:
    for one in definitions():
        assert (one["contexts"], one["default_member_permissions"]) == ([0], str(1 << 38))


def test_what_discord_fills_in_is_no_difference_and_what_is_another_word_is() -> None:
    registered = [{"id": "1", "version": "2", **commands._checked(one)} for one in reversed(definitions())]
    assert slash.same(registered, definitions())
    changes: list[Callable[[list[dict[str, Any]]], object]] = [
        lambda one: one.pop(),
        lambda one: one[-1].update(default_member_permissions=None),
        lambda one: one[-1]["options"][0].update(description="else"),
        lambda one: one[-1]["options"][0]["description_localizations"].update(ja="別"),
        lambda one: one[-1]["options"][-1]["options"][0].update(autocomplete=False),
    ]
    for change in changes:
        changed = copy.deepcopy(registered)
        change(changed)
        assert not slash.same(changed, definitions())


def test_a_messages_menu_is_known_by_the_name_that_is_registered() -> None:
    entries = definitions()[1:]
    assert [slash.chosen(one["name"], wording) for one in entries] == [
        SEND,
        Action.NOTE,
        Action.TEMPLATES,
        Action.TRANSFER,
        Action.RESOLVE,
    ]
    assert slash.chosen("their entry", wording) == ""


@pytest.mark.parametrize(
    ("words", "verb"),
    [
        (("chat", "home"), Verb.HOME),
        (("chat", "template"), "template"),
        (("chat", "else"), ""),
        (("other", "home"), ""),
    ],
)
def test_what_was_asked_is_read(words: tuple[str, ...], verb: str) -> None:
    asked = Commanded(
        InputKey("k"), Root("1", "2"), words, {"sought": " K7Q2 "}, Author("1", "5"), Interaction("8", "t")
    )
    assert (slash.verb_of(asked), slash.given(asked, slash.SOUGHT)) == (verb, "K7Q2")
