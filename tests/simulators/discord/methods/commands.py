"""Application commands, global and of the guild: slash commands, and those of the menus on messages and users."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from tests.simulators.discord.access import need_guild
from tests.simulators.discord.guild import Json
from tests.simulators.discord.refusal import Complaints, Refusal

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.discord.simulator import DiscordSimulator

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
MOST = {CHAT_INPUT: 100, USER: 5, MESSAGE: 5}
OPTIONS = 25
WHOLE = 8_000
"""Characters of a command."""

LOCALES = (
    "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR",
    "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
)  # fmt: skip
_NAME = re.compile(r"[-_\w]{1,32}")
_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"


def _scope(discord: DiscordSimulator, call: Call) -> str:
    """The guild that the path names; "" for commands that are everywhere."""
    if call["application_id"] != discord.guild.app.id:
        raise Refusal(403, 20012, "You are not authorized to perform this action on this application")
    guild_id = call.path.get("guild_id", "")
    if guild_id:
        need_guild(discord, guild_id)
    return guild_id


def _all(discord: DiscordSimulator, scope: str) -> list[Json]:
    return [c for c in discord.guild.app.commands.values() if (c.get("guild_id") or "") == scope]


def _list(discord: DiscordSimulator, call: Call) -> list[Json]:
    """With its words in other languages only where they are asked for."""
    found = copy.deepcopy(_all(discord, _scope(discord, call)))
    return found if call.flag("with_localizations") else [_in_one_language(one) for one in found]


def _in_one_language(one: Json) -> Json:
    kept = {name: value for name, value in one.items() if not name.endswith("_localizations")}
    for name in ("options", "choices"):
        if name in kept:
            kept[name] = [_in_one_language(inner) for inner in kept[name]]
    return kept


def _create(discord: DiscordSimulator, call: Call) -> Json:
    scope = _scope(discord, call)
    return _put(discord, scope, _checked(call.fields))


def _overwrite(discord: DiscordSimulator, call: Call) -> list[Json]:
    """All at once: what is not named is gone; what has the same name keeps its id."""
    scope = _scope(discord, call)
    bodies = call.body if isinstance(call.body, list) else []
    checked = [_checked(one, f"{index}.") for index, one in enumerate(bodies)]
    _check_together(checked)
    kept = {_key(c): c["id"] for c in _all(discord, scope)}
    for command_id in kept.values():
        del discord.guild.app.commands[command_id]
    return [_put(discord, scope, one, kept.get(_key(one))) for one in checked]


def _check_together(commands: list[Json]) -> None:
    complaints = Complaints()
    keys = [_key(c) for c in commands]
    for index, key in enumerate(keys):
        if keys.index(key) != index:
            words = "Application command names must be unique"
            complaints.add(str(index), "APPLICATION_COMMANDS_DUPLICATE_NAME", words)
    for kind, most in MOST.items():
        if sum(c["type"] == kind for c in commands) > most:
            complaints.add("", "APPLICATION_COMMANDS_TOO_MANY", f"Maximum number of commands reached ({most})")
    complaints.settle()


def _key(command: Json) -> tuple[int, str]:
    return command["type"], command["name"]


def _put(discord: DiscordSimulator, scope: str, checked: Json, command_id: str | None = None) -> Json:
    app = discord.guild.app
    same = next((c["id"] for c in _all(discord, scope) if _key(c) == _key(checked)), None)
    if same is None and sum(c["type"] == checked["type"] for c in _all(discord, scope)) >= MOST[checked["type"]]:
        raise Refusal(400, 30032, f"Maximum number of application commands reached ({MOST[checked['type']]})")
    made = command_id or same or discord.guild.mint()
    whole = {"id": made, "application_id": app.id, "version": discord.guild.mint()} | checked
    app.commands[made] = whole | ({"guild_id": scope} if scope else {})
    return app.commands[made]


def _checked(body: Any, path: str = "") -> Json:
    """The command with Discord's defaults filled in."""
    command: Json = copy.deepcopy(body) if isinstance(body, dict) else {}
    kind = command.get("type") or CHAT_INPUT
    complaints = Complaints()
    complaints.choice(f"{path}type", kind, (CHAT_INPUT, USER, MESSAGE))
    _check_words(command, kind, path, complaints)
    _check_options(command, path, complaints)
    if command.get("options") and kind != CHAT_INPUT:
        complaints.add(f"{path}options", "APPLICATION_COMMAND_OPTIONS_NOT_ALLOWED", "Only slash commands have options")
    if _size(command) > WHOLE:
        complaints.add(path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({WHOLE})")
    complaints.settle()
    defaults = {
        "type": kind, "description": "", "options": [], "default_member_permissions": None, "dm_permission": True,
        "nsfw": False, "name_localizations": None, "description_localizations": None, "contexts": None,
        "integration_types": [0],
    }  # fmt: skip
    return defaults | command


def _size(one: Json) -> int:
    """Characters of names, descriptions and values, each in its longest language."""
    own = sum(
        max(map(len, (str(one.get(name) or ""), *(one.get(f"{name}_localizations") or {}).values())))
        for name in ("name", "description", "value")
    )
    return own + sum(_size(inner) for name in ("options", "choices") for inner in one.get(name) or [])


def _check_words(one: Json, kind: int, path: str, complaints: Complaints) -> None:
    complaints.length(f"{path}name", one.get("name"), 32, 1)
    name = str(one.get("name", ""))
    if kind == CHAT_INPUT and (not _NAME.fullmatch(name) or name != name.lower()):
        complaints.add(f"{path}name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    for locale, told in (one.get("name_localizations") or {}).items():
        below = f"{path}name_localizations.{locale}"
        complaints.choice(f"{below}.locale", locale, LOCALES)
        complaints.length(below, told, 32, 1)
        if kind == CHAT_INPUT and (not _NAME.fullmatch(told) or told != told.lower()):
            complaints.add(below, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    for locale, told in (one.get("description_localizations") or {}).items():
        complaints.length(f"{path}description_localizations.{locale}", told, 100, 1)
    if kind == CHAT_INPUT:
        complaints.length(f"{path}description", one.get("description"), 100, 1)
    elif one.get("description"):
        words = "Context menu commands cannot have description"
        complaints.add(f"{path}description", "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION", words)


def _check_options(command: Json, path: str, complaints: Complaints) -> None:
    complaints.count(f"{path}options", command.get("options") or [], OPTIONS)
    optional = False
    for index, option in enumerate(command.get("options") or []):
        below = f"{path}options.{index}."
        _check_words(option, CHAT_INPUT, below, complaints)
        complaints.count(f"{below}choices", option.get("choices") or [], OPTIONS)
        for number, choice in enumerate(option.get("choices") or []):
            for told in (choice.get("name"), *(choice.get("name_localizations") or {}).values()):
                complaints.length(f"{below}choices.{number}.name", told, 100, 1)
        if option.get("autocomplete") and option.get("choices"):
            words = "Autocomplete cannot be set to true when choices are present"
            complaints.add(f"{below}autocomplete", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", words)
        if len({one.get("name") for one in command["options"]}) < len(command["options"]):
            words = "Option names must be unique"
            complaints.add(f"{below}name", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", words)
        if option.get("required") and optional:
            words = "Required options must be placed before non-required options"
            complaints.add(f"{below}required", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", words)
        optional = optional or not option.get("required")
        _check_options(option, below, complaints)


def _find(discord: DiscordSimulator, call: Call) -> Json:
    scope = _scope(discord, call)
    found = next((c for c in _all(discord, scope) if c["id"] == call["command_id"]), None)
    if found is None:
        raise Refusal.unknown("Application Command")
    return found


def _edit(discord: DiscordSimulator, call: Call) -> Json:
    found = _find(discord, call)
    found |= _checked({k: found[k] for k in ("name", "description", "type", "options")} | call.fields)
    return found


def _delete(discord: DiscordSimulator, call: Call) -> None:
    del discord.guild.app.commands[_find(discord, call)["id"]]


_LIMIT = (5, 20.0)
for _path in (_GLOBAL, _GUILD):
    method(f"GET {_path}", limit=_LIMIT)(_list)
    method(f"POST {_path}", limit=_LIMIT, status=201)(_create)
    method(f"PUT {_path}", limit=_LIMIT)(_overwrite)
    method(f"GET {_path}/{{command_id}}", limit=_LIMIT)(_find)
    method(f"PATCH {_path}/{{command_id}}", limit=_LIMIT)(_edit)
    method(f"DELETE {_path}/{{command_id}}", limit=_LIMIT)(_delete)
