"""Attachments that Discord is not given are told of, with a way to the desk, and never by the name they were given."""

from __future__ import annotations

from typing import cast

from adapters.discord.render import CONTENT, Rendered
from adapters.discord.shown.beneath import Beneath
from adapters.discord.text.markup import units
from bridge.messages import About, Body, FilePart, TextPart
from bridge.ports import Delivery, HeldFile
from routing.effects import Effect
from tests.unit.adapters.discord.judging import acts
from tests.unit.adapters.discord.test_render import spoken, wording
from tests.unit.adapters.slack.shown.test_card import SESSION

HELD = (HeldFile("f1", "image/png", 2_000_000), HeldFile("f2", "application/x-@everyone", 1))
LARGE = (FilePart("f4", "@here.pdf", "application/pdf", 30_000_000),)


UNTIL = 1_790_000_000_000
DESK, OWN = "https://desk.example/", "https://files.example/"


def told(rendered: tuple[Rendered, ...], desk: str = DESK) -> tuple[Rendered, ...]:
    body = Body((TextPart("hi"), FilePart("f3", "", "image/png", 0, purged=True)))
    delivery = Delivery(cast(Effect, None), SESSION, About(), None, body, held=HELD)
    beneath = Beneath(
        wording,
        lambda session, file: desk and f"{desk}{file}",
        lambda session, file: (f"{OWN}{file.file}", UNTIL) if desk else None,
    )
    return beneath.add(rendered, delivery, LARGE)


def test_a_line_for_each_and_nothing_in_them_acts_but_the_ways_to_it() -> None:
    (one,) = told(spoken("hi"))
    lines = one.content.split("\n")[4:]
    assert [line.rpartition("(")[2] for line in lines[:3]] == [f"<{DESK}{f}>)" for f in ("f1", "f2", "f4")]
    assert lines[0].startswith("-# Image (PNG), 1.9 MB, kept back")
    assert OWN not in "".join(lines[:2])
    assert f"[Open](<{OWN}f4>) until <t:{UNTIL // 1000}:f>" in lines[2]
    assert lines[3] == "-# An attachment was removed"
    assert acts(one) == ["masked_link"] * 4
    assert "here.pdf" not in one.content


def test_without_a_desk_they_are_told_without_a_way() -> None:
    (one,) = told(spoken("hi"), desk="")
    assert acts(one) == []


def test_where_they_do_not_fit_they_stand_in_a_post_of_their_own() -> None:
    rendered = spoken("a" * 1_900)
    shown = told(rendered)
    assert shown[:-1] == rendered
    assert all(units(one.content) <= CONTENT for one in shown)


def lasting(url: str) -> tuple[Beneath, Delivery]:
    delivery = Delivery(cast(Effect, None), SESSION, About(), None, Body((TextPart("hi"),)))
    return Beneath(wording, lambda session, file: f"{DESK}{file}", lambda session, file: (url, UNTIL)), delivery


def test_many_of_them_stand_in_several_posts() -> None:
    beneath, delivery = lasting(OWN + "x" * 250)
    shown = beneath.add(spoken("hi"), delivery, LARGE * 10)
    assert all(units(one.content) <= CONTENT for one in shown)
    assert sum(one.content.count("too large") for one in shown) == 10


def test_in_one_post_none_of_them_is_left_out_and_the_words_stay() -> None:
    """What Discord has refused is told of in the post that was to show it."""
    beneath, delivery = lasting(OWN + "x" * 250)
    (words,) = spoken("a" * 1_900)
    one = beneath.add_to(words, delivery, refused=LARGE * 10)
    frames = [str(frame["description"]) for frame in one.embeds]
    assert one.content == words.content
    assert sum(frame.count("does not take") for frame in frames) == 10
    assert sum(map(units, frames)) <= 6_000
