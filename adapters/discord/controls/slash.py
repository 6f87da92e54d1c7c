"""The commands that the app registers with Discord, and what was asked by them. Pure.

`/chat` has a subcommand for each thing that operators ask for: of their own work anywhere, and of a session in its
thread. In a message's menu stands what is done on a message. All of it is in every language of ours, since a client
shows its user's. What is chosen from our own lists is completed while it is typed.

Limits: names 32 of certain signs, descriptions 100, 25 subcommands and options, 25 choices, five entries in a message's
menu, 8,000 characters of a command altogether in its longest language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapters.discord.controls.replies import LOCALES
from adapters.discord.heard.happenings import Commanded
from adapters.discord.shown.held import SEND
from bridge.messages import one_line
from bridge.networks.card import Action, Wording
from bridge.networks.commands import RESULTS, Verb, spoken

Json = dict[str, Any]

COMMAND = "chat"

TEMPLATE = "template"
"""A subcommand that is no typed command: a template's code is typed by itself."""

SOUGHT, UNTIL, OUTCOME, DESK, COLLEAGUE, REASON, WORDS, CODE = (
    "sought", "until", "outcome", "desk", "colleague", "reason", "words", "code",
)  # fmt: skip
"""Options, by the names that they have in English; an interaction tells these."""

OPTIONS: Mapping[str, Sequence[str]] = {
    Verb.FIND: (SOUGHT,),
    Verb.HOLD: (UNTIL, WORDS),
    Verb.RESOLVE: (OUTCOME,),
    Verb.TRANSFER: (DESK, COLLEAGUE, REASON),
    Verb.NOTE: (WORDS,),
    Verb.SEND: (WORDS,),
    TEMPLATE: (CODE,),
}
"""Of each subcommand. Without them it opens its window, where it has one."""

NEEDED = frozenset(((Verb.FIND, SOUGHT), (Verb.SEND, WORDS)))

COMPLETED = frozenset((SOUGHT, UNTIL, DESK, COLLEAGUE, CODE))
"""Options for which we offer choices while they are typed."""

MENU: Mapping[str, str] = {
    "send": SEND,
    "note": Action.NOTE,
    "templates": Action.TEMPLATES,
    "transfer": Action.TRANSFER,
    "resolve": Action.RESOLVE,
}
"""A message's menu: what each entry does, on the message that it was chosen on."""

OWN_WORDS = frozenset((Verb.RESOLVE, Verb.TRANSFER, TEMPLATE))
"""Subcommands that are told of in other words than typed commands: what they take stands beside them."""

MEMBERS = str(1 << 38)
"""Who is offered the commands unless a server says otherwise: whoever may write in threads (SEND_MESSAGES_IN_THREADS).
What they may do with them, enrolment says."""

_NAME = re.compile(r"[-_\w]{1,32}")
_SLASH, _MESSAGE, _SUBCOMMAND, _STRING, _GUILD = 1, 3, 1, 3, 0
_LONGEST = 4_000
SHORT = 100
"""Characters of a choice, and of what is chosen."""


def definitions(wording: Wording) -> list[Json]:
    """All commands, as one call registers them."""
    chat: Json = {
        "type": _SLASH,
        "name": COMMAND,
        **_described("slash.chat", wording),
        "options": [_subcommand(verb, wording) for verb in (*Verb, TEMPLATE)],
    }
    entries = [{"type": _MESSAGE, **_menu_names(name, wording)} for name in MENU]
    shared = {"contexts": [_GUILD], "integration_types": [0], "default_member_permissions": MEMBERS}
    return [one | shared for one in (chat, *entries)]


def _subcommand(verb: str, wording: Wording) -> Json:
    words = {locale: next(iter(spoken(wording(ours, f"command.{verb}"))), "") for locale, ours in LOCALES.items()}
    return {
        "type": _SUBCOMMAND,
        "name": str(verb),
        "name_localizations": _names(words),
        **_described(f"slash.{verb}" if verb in OWN_WORDS else f"command.help.{verb}", wording),
        "options": [_option(verb, name, wording) for name in OPTIONS.get(verb, ())],
    }


def _option(verb: str, name: str, wording: Wording) -> Json:
    shape: Json = {
        "type": _STRING,
        "name": name,
        "name_localizations": _names({at: wording(ours, f"option.{name}") for at, ours in LOCALES.items()}),
        **_described(f"option.{name}.what", wording),
        "required": (verb, name) in NEEDED,
    }
    if name == OUTCOME:
        return shape | {"choices": [_outcome(one, wording) for one in RESULTS]}
    long = name in (WORDS, REASON)
    return shape | {"max_length": _LONGEST if long else SHORT, "autocomplete": name in COMPLETED}


def _outcome(outcome: str, wording: Wording) -> Json:
    told = {locale: one_line(wording(ours, f"outcome.{outcome}"), SHORT) for locale, ours in LOCALES.items()}
    name = one_line(wording("en", f"outcome.{outcome}"), SHORT)
    return {"name": name, "name_localizations": told, "value": str(outcome)}


def _names(words: Mapping[str, str]) -> dict[str, str]:
    """Those that Discord takes for a name: no capitals, no blanks."""
    return {locale: one for locale, one in words.items() if _NAME.fullmatch(one) and one == one.lower()}


def _described(key: str, wording: Wording) -> Json:
    told = {locale: one_line(wording(ours, key), 100) for locale, ours in LOCALES.items()}
    return {"description": one_line(wording("en", key), 100), "description_localizations": told}


def _menu_names(name: str, wording: Wording) -> Json:
    told = {locale: one_line(wording(ours, f"menu.{name}"), 32) for locale, ours in LOCALES.items()}
    return {"name": one_line(wording("en", f"menu.{name}"), 32), "name_localizations": told}


# ------------------------------------------------------------------ what is registered


def same(registered: Iterable[Mapping[str, Any]], wanted: Iterable[Mapping[str, Any]]) -> bool:
    """Whether Discord has these commands and no others; it fills in what we leave out."""
    return sorted(map(_plain, registered), key=str) == sorted(map(_plain, wanted), key=str)


def _plain(one: Mapping[str, Any]) -> Json:
    """What matters of a command, an option or a choice, with nothing left out."""
    texts = {name: one.get(name) or "" for name in ("name", "description", "value", "default_member_permissions")}
    words = {name: dict(one.get(name) or {}) for name in ("name_localizations", "description_localizations")}
    marks = {name: bool(one.get(name)) for name in ("required", "autocomplete")}
    numbers = {name: one.get(name) for name in ("type", "max_length")}
    contexts = {"contexts": sorted(one.get("contexts") or [])}
    inner = {name: list(map(_plain, one.get(name) or [])) for name in ("options", "choices")}
    return {**texts, **words, **marks, **numbers, **contexts, **inner}


# ------------------------------------------------------------------ what was asked


def chosen(name: str, wording: Wording) -> str:
    """What an entry of a message's menu does; empty for none of ours. Discord tells the name as it is registered."""
    return next((MENU[entry] for entry in MENU if one_line(wording("en", f"menu.{entry}"), 32) == name), "")


def verb_of(commanded: Commanded) -> str:
    """The subcommand; empty for none of ours."""
    asked = commanded.words[1:2] if commanded.words[:1] == (COMMAND,) else ()
    return next((str(one) for one in (*Verb, TEMPLATE) if asked == (str(one),)), "")


def given(commanded: Commanded, option: str) -> str:
    return commanded.options.get(option, "").strip()
