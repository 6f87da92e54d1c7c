"""Windows: within Slack's limits whatever stands in them, and nothing of a customer's acts in one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.controls.shortcuts import for_manifest
from adapters.slack.shown import forms
from adapters.slack.shown.views import QUOTE, Frame, Pen, read_frame
from bridge.networks.card import Action
from bridge.networks.windows import FILL, Choice
from bridge.templates import Template
from config.locales import LANGUAGES, thread_words
from tests.simulators.slack import blocks as block_kit
from tests.simulators.slack.methods.views import view_errors
from tests.unit.adapters.slack.text.test_markup import TEXT as WRITTEN

FRAME = Frame("main.0.abc", 1, "T1", "C0SIM00001", "1700000000.000100")


def windows(pen: Pen, frame: Frame, text: str) -> list[dict[str, Any]]:
    """Every window there is, each with much in it."""
    many = [Choice(str(number), text * 9 or "x") for number in range(250)]
    templates = [Template(f"t{number}", {pen.language: text * 50 or "x"}, text) for number in range(250)]
    said = [(1_700_000_000_000, text * 9, text * 99)] * 250
    return [
        pen.note(frame),
        pen.transfer(frame, many, many, "249"),
        pen.hold(frame),
        pen.resolve(frame, many[:4], many[:100]),
        pen.templates(frame, templates),
        pen.templates(frame, []),
        pen.fill(frame, text * 400 or "x", ["a" * 40, "b"]),
        pen.block(frame),
        pen.history(frame, [text * 9] * 10, said),
        pen.history(frame, [], []),
    ]


@settings(deadline=None, max_examples=30)
@given(WRITTEN, st.sampled_from(LANGUAGES))
def test_every_window_is_within_slacks_limits_and_nothing_in_it_acts(text: str, language: str) -> None:
    frame = Frame("main.0.abc", 1, "T1", "C0SIM00001", "1700000000.000100", "c" * 40, (text * QUOTE)[:QUOTE])
    for view in windows(Pen(thread_words, language, text * 99), frame, text):
        assert view_errors(view, "modal") == [], view["callback_id"]
        reading = block_kit.reading_of(view["blocks"])
        assert [*reading.pings, *reading.links] == []
        assert read_frame(view["private_metadata"]) == frame


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_window_has_its_words(language: str) -> None:
    for view in windows(Pen(thread_words, language, "K7Q2"), FRAME, "x"):
        kinds = ("window.", "field.", "hint.", "submit.", "hold.", "block.", "history.")
        assert not [key for key in kinds if f"'{key}" in str(view)]


@pytest.mark.parametrize(
    "metadata", ["", "{}", "[]", "null", '{"session": 1}', "{" * 5_000, '{"session":"x","mirror":1}']
)
def test_a_window_of_somebody_elses_is_none_of_ours(metadata: str) -> None:
    assert read_frame(metadata) is None
    view = {"id": "V1", "hash": "h", "callback_id": FILL, "private_metadata": metadata}
    assert forms.read({"type": "view_submission", "user": {"id": "U1"}, "view": view}) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_values_of_any_shape_are_read_as_nothing(value: Any) -> None:
    view = {"id": "V1", "callback_id": Action.NOTE, "private_metadata": FRAME.metadata, "state": {"values": value}}
    form = forms.read({"user": {"id": "U1"}, "view": view})
    assert form is not None
    assert (form.text("words"), form.submission.chosen("desk"), form.all_chosen("tags"), form.moment("until")) == (
        "",
        "",
        (),
        None,
    )


def test_shortcuts_are_as_slack_takes_them() -> None:
    for one in for_manifest():
        assert len(one["name"]) <= 24
        assert len(one["description"]) <= 150
        assert one["type"] == "message"
