"""The desk's wording is whole: every key in every language, and every key that the page can ask for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.console import accounts, board, forms
from adapters.console.thread import LINE_KEYS
from config.locales import LANGUAGES, gaps, load
from routing.availability import Because, Choice
from routing.facts import Cause
from routing.inputs import Outcome, PurgeReason, Untranslated
from routing.policy import Promised, RungKind
from routing.session import CheckState, Presence, Reason, State

PAGE = Path(board.__file__).parent / "page"
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in PAGE.glob("*.js")}
ENGLISH = load("desk")["en"]


def asked_for() -> set[str]:
    """The keys that stand in the scripts as they are."""
    return {key for script in SCRIPTS.values() for key in re.findall(r'\bt\(\s*"([\w.-]+)"', script)}


def made_up() -> set[str]:
    """The keys that the scripts put together."""
    return {
        *(f"line.{key}" for key in LINE_KEYS),
        *(f"outcome.{outcome}" for outcome in Outcome),
        *(f"state.{state}" for state in State if state is not State.NEW),
        *(f"presence.{presence}" for presence in Presence),
        *(f"list.{name}" for name in board.LISTS),
        *(f"list.empty.{name}" for name in (*board.LISTS, "search")),
        *(f"language.{language}" for language in (*LANGUAGES, "zh")),
        *(f"delivery.{state}" for state in ("queued", "reached", "seen", "undelivered", "sending", "failed")),
        *(f"error.{reason}" for reason in REFUSALS),
        *(f"team.{figure}" for figure in ("load", "offered", "owed", "near", "past", "waiting")),
        *(f"standing.{choice}" for choice in Choice),
        *(f"standing.because.{because}" for because in Because),
        *(f"cause.{cause}" for cause in Cause),
        *(f"purge.{reason}" for reason in PurgeReason),
        *(f"network.{network}" for network in ("slack", "discord")),
        *(f"untranslated.{why}" for why in Untranslated),
        *(f"promise.{promise}" for promise in Promised),
        *(f"rung.{kind}" for kind in RungKind),
        *(f"card.check_{state}" for state in ("none", "needed", *CheckState)),
        *(f"attention.check_{state}" for state in ("needed", *(set(CheckState) - {CheckState.PASSED}))),
    }


# What an operator can run into; the other reasons are told to customers or to edits, which this page does not offer.
REFUSALS = {reason.value for reason in Reason} - {"not_resolved", "too_late", "not_author", "unknown_message"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_gaps(language: str) -> None:
    words = load("desk")[language]
    assert set(words) == set(ENGLISH)
    assert [key for key in words if gaps(words[key]) != gaps(ENGLISH[key])] == []
    assert [key for key in words if not words[key].strip()] == []


def test_the_page_asks_for_nothing_that_is_not_there() -> None:
    assert asked_for() | made_up() <= set(ENGLISH)


def test_nothing_is_translated_for_nobody() -> None:
    names = "|".join(re.escape(key) for key in ENGLISH)
    quoted = {key for script in SCRIPTS.values() for key in re.findall(rf'"({names})"', script)}
    put_together = ("action.", "composer.", "error.", "row.", "sign_in.")
    assert {key for key in set(ENGLISH) - quoted - made_up() if not key.startswith(put_together)} == set()


@pytest.mark.parametrize("code", ["wrong", "link_used", "too_many", "not_stored", "not_found", "empty", "too_long"])
def test_refusals_of_ours_have_words(code: str) -> None:
    sources = [Path(module.__file__ or "").read_text() for module in (accounts, forms)]
    sources.append((PAGE.parent / "server.py").read_text())
    assert code == "not_found" or any(f'"{code}"' in source for source in sources)
    assert f"error.{code}" in ENGLISH


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_no_script_can_make_html_or_code_of_words(name: str) -> None:
    for danger in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"):
        assert danger not in SCRIPTS[name]


def test_the_page_has_no_inline_script_or_style() -> None:
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "<style" not in page
    assert " style=" not in page
    assert re.findall(r"\son\w+=", page) == []


def test_nothing_absent_is_printed_on_a_page() -> None:
    """The browser's `replaceChildren` prints what `cond && el(…)` gives for nothing: "false". `fill` does not."""
    assert [
        name for name, script in SCRIPTS.items() if ".replaceChildren(" in script.replace(".replaceChildren()", "")
    ] == ["dom.js"]
