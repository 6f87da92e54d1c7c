"""The simulator refuses what Slack's Block Kit and views references say is refused, and takes what just fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulators.slack.blocks import errors_in
from tests.simulators.slack.methods.views import view_errors

Json = dict[str, Any]


def plain(text: str = "x") -> Json:
    return {"type": "plain_text", "text": text}


def markup(text: str = "x") -> Json:
    return {"type": "mrkdwn", "text": text}


def option(value: str = "v", **more: Any) -> Json:
    return {"text": plain(), "value": value, **more}


def options(count: int, prefix: str = "") -> list[Json]:
    return [option(f"{prefix}{number}") for number in range(count)]


def groups(count: int, size: int = 1) -> list[Json]:
    return [{"label": plain(), "options": options(size, f"{number}/")} for number in range(count)]


def element(kind: str, **fields: Any) -> list[Json]:
    return [{"type": "actions", "elements": [{"type": kind, "action_id": "a", **fields}]}]


def asked(kind: str = "plain_text_input", label: Json | None = None, hint: Json | None = None, **fields: Any) -> Any:
    block = {"type": "input", "label": label or plain(), "element": {"type": kind, "action_id": "a", **fields}}
    return [block | ({"hint": hint} if hint else {})]


def confirmed(**changed: Any) -> list[Json]:
    confirm = {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain(), **changed}
    return element("button", text=plain(), confirm=confirm)


def listed(**fields: Any) -> list[Json]:
    line = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
    return [{"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": [line], **fields}]}]


LIMITS: dict[str, tuple[Callable[[int], list[Json]], int]] = {
    "option text": (lambda n: element("static_select", options=[option(text=plain("x" * n))]), 75),
    "option value": (lambda n: element("static_select", options=[option("x" * n)]), 150),
    "option description": (lambda n: element("radio_buttons", options=[option(description=markup("x" * n))]), 75),
    "option address": (lambda n: element("overflow", options=[option(url="x" * n)]), 3_000),
    "options": (lambda n: element("static_select", options=options(n)), 100),
    "options of dots": (lambda n: element("overflow", options=options(n)), 5),
    "boxes": (lambda n: element("checkboxes", options=options(n)), 10),
    "radio buttons": (lambda n: element("radio_buttons", options=options(n)), 10),
    "option groups": (lambda n: element("static_select", option_groups=groups(n)), 100),
    "options of a group": (lambda n: element("static_select", option_groups=groups(1, n)), 100),
    "group label": (
        lambda n: element("static_select", option_groups=[{"label": plain("x" * n), "options": options(1)}]),
        75,
    ),
    "text of an option in a group": (
        lambda n: element(
            "static_select", option_groups=[{"label": plain(), "options": [option(text=plain("x" * n))]}]
        ),
        75,
    ),
    "placeholder": (lambda n: element("users_select", placeholder=plain("x" * n)), 150),
    "confirm title": (lambda n: confirmed(title=plain("x" * n)), 100),
    "confirm text": (lambda n: confirmed(text=plain("x" * n)), 300),
    "confirm button": (lambda n: confirmed(confirm=plain("x" * n)), 30),
    "deny button": (lambda n: confirmed(deny=plain("x" * n)), 30),
    "label": (lambda n: asked(label=plain("x" * n)), 2_000),
    "hint": (lambda n: asked(hint=plain("x" * n)), 2_000),
    "longest input": (lambda n: asked(max_length=n), 3_000),
    "shortest input": (lambda n: asked(min_length=n), 3_000),
    "files of an input": (lambda n: asked("file_input", max_files=n), 10),
    "indent": (lambda n: listed(style="bullet", indent=n), 8),
    "markdown in all": (lambda n: [{"type": "markdown", "text": "x" * size} for size in (6_000, n)], 6_000),
}


@pytest.mark.parametrize("name", LIMITS)
def test_what_just_fits_is_taken_and_one_more_is_not(name: str) -> None:
    made, limit = LIMITS[name]
    assert errors_in(made(limit)) == []
    assert errors_in(made(limit + 1)) != []


WRONG: dict[str, list[Json]] = {
    "both options and groups": element("static_select", options=options(1), option_groups=groups(1)),
    "neither options nor groups": element("static_select"),
    "an empty group": element("static_select", option_groups=[{"label": plain(), "options": []}]),
    "a group without a label": element("static_select", option_groups=[{"options": options(1)}]),
    "a group labelled in markup": element("static_select", option_groups=[{"label": markup(), "options": options(1)}]),
    "markup in a group's option": element(
        "static_select", option_groups=[{"label": plain(), "options": [option(text=markup())]}]
    ),
    "markup in a list's option": element("multi_static_select", options=[option(text=markup())]),
    "markup under a list's option": element("static_select", options=[option(description=markup())]),
    "markup under the dots": element("overflow", options=[option(text=markup())]),
    "an address where there are no dots": element("static_select", options=[option(url="https://x.example")]),
    "the same value twice": element("static_select", options=[option("v"), option("v")]),
    "a choice that is not offered": element("static_select", options=options(2), initial_option=option("7")),
    "choices that are not offered": element("checkboxes", options=options(2), initial_options=[option("7")]),
    "many choices from one": element("static_select", options=options(2), initial_options=options(1)),
    "options of a list of people": element("users_select", options=options(2)),
    "at most no choice": element("multi_static_select", options=options(2), max_selected_items=0),
    "no input at all": asked(max_length=0),
    "a label in markup": asked(label=markup()),
    "a hint in markup": asked(hint=markup()),
    "a placeholder in markup": asked(placeholder=markup()),
    "two in focus": [*asked(focus_on_load=True), *asked(focus_on_load=True)],
    "a confirmation in markup": confirmed(text=markup()),
    "a confirmation of another colour": confirmed(style="secondary"),
    "an image within that has a title": [
        {"type": "context", "elements": [{"type": "image", "image_url": "x", "alt_text": "x", "title": plain()}]}
    ],
    "a list of no style": listed(),
    "emoji by a word": [{"type": "header", "text": plain() | {"emoji": "no"}}],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_slack_documents_otherwise_is_refused(name: str) -> None:
    assert errors_in(WRONG[name]) != []


@pytest.mark.parametrize("part", ["title", "submit", "close"])
def test_a_windows_own_texts_are_plain_and_short(part: str) -> None:
    view = {"type": "modal", "title": plain(), "blocks": [{"type": "divider"}]}
    assert view_errors(view | {part: plain("x" * 24)}, "modal") == []
    for wrong in (plain("x" * 25), plain(""), markup(), "x"):
        assert view_errors(view | {part: wrong}, "modal") != []


@pytest.mark.parametrize(("name", "limit"), [("private_metadata", 3_000), ("callback_id", 255), ("external_id", 255)])
@pytest.mark.parametrize("kind", ["modal", "home"])
def test_what_a_view_carries_has_its_limits(kind: str, name: str, limit: int) -> None:
    view = {"type": kind, "blocks": [{"type": "divider"}] * 100} | ({"title": plain()} if kind == "modal" else {})
    assert view_errors(view | {name: "x" * limit}, kind) == []
    assert view_errors(view | {name: "x" * (limit + 1)}, kind) != []


def test_a_home_has_neither_title_nor_buttons_of_its_own() -> None:
    view = {"type": "home", "blocks": [{"type": "divider"}]}
    assert view_errors(view, "home") == []
    for wrong in ({"title": plain()}, {"submit": plain()}, {"blocks": [{"type": "divider"}] * 101}):
        assert view_errors(view | wrong, "home") != []
    assert errors_in([{"type": "divider"}] * 51) != []
