"""The commands that the app registers with Discord, and what was asked by them. Pure.

`/chat` has a subcommand for each thing that can be asked for anywhere. Its words are in every language of ours, since a
client shows its user's. In a message's menu stand the two things that are done to a message. Limits: names 32,
descriptions 100, five entries in a message's menu.
"""

from __future__ import annotations

import re
from typing import Any

from adapters.discord.parse import Commanded
from adapters.discord.render import Wording
from bridge.commands import ANYWHERE, Verb, spoken
from bridge.names import one_line

Json = dict[str, Any]

COMMAND = "chat"
SOUGHT = "sought"
"""The option of `/chat find`."""

SEND, NOTE = "send", "note"
"""What a message's menu offers: by these words, whatever they are called in a person's client."""

LOCALES = {"ja": "ja", "zh-CN": "zh-Hans", "zh-TW": "zh-Hant"}
"""Discord's languages, and ours; English is what all others see."""

_NAME = re.compile(r"[-_\w]{1,32}")
_MENU = {SEND: "button.send", NOTE: "button.note"}
_SLASH, _MESSAGE, _SUBCOMMAND, _STRING, _GUILD = 1, 3, 1, 3, 0


def definitions(wording: Wording) -> list[Json]:
    """All commands, as one call registers them."""
    chat: Json = {
        "type": _SLASH,
        "name": COMMAND,
        **_described("command.help.home", wording),
        "options": [_subcommand(verb, wording) for verb in ANYWHERE],
    }
    entries = [{"type": _MESSAGE, **_menu_names(name, wording)} for name in _MENU]
    return [one | {"contexts": [_GUILD]} for one in (chat, *entries)]


def _subcommand(verb: Verb, wording: Wording) -> Json:
    shape: Json = {"type": _SUBCOMMAND, "name": verb.value, **_described(f"command.help.{verb}", wording)}
    words = {locale: next(iter(spoken(wording(ours, f"command.{verb}"))), "") for locale, ours in LOCALES.items()}
    shape["name_localizations"] = {locale: one for locale, one in words.items() if _NAME.fullmatch(one)}
    if verb is Verb.FIND:
        sought: Json = {"type": _STRING, "name": SOUGHT, **_described("command.help.find", wording)}
        shape["options"] = [sought | {"required": True, "max_length": 100}]
    return shape


def _described(key: str, wording: Wording) -> Json:
    told = {locale: one_line(wording(ours, key), 100) for locale, ours in LOCALES.items()}
    return {"description": one_line(wording("en", key), 100), "description_localizations": told}


def _menu_names(name: str, wording: Wording) -> Json:
    told = {locale: one_line(wording(ours, _MENU[name]), 32) for locale, ours in LOCALES.items()}
    return {"name": one_line(wording("en", _MENU[name]), 32), "name_localizations": told}


def chosen(name: str, wording: Wording) -> str:
    """Which entry of a message's menu that is; empty for none of ours. Discord tells the name as it is registered."""
    return next((entry for entry, key in _MENU.items() if one_line(wording("en", key), 32) == name), "")


def typed(commanded: Commanded) -> str:
    """What was asked, as somebody types it behind `/chat`."""
    return " ".join((*commanded.words[1:], *filter(None, [commanded.options.get(SOUGHT, "").strip()])))
