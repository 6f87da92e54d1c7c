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
    return _all(discord, _scope(discord, call))


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
    complaints.settle()
    defaults = {
        "type": kind, "description": "", "options": [], "default_member_permissions": None, "dm_permission": True,
        "nsfw": False, "name_localizations": None, "description_localizations": None, "contexts": None,
        "integration_types": [0],
    }  # fmt: skip
    return defaults | command


def _check_words(one: Json, kind: int, path: str, complaints: Complaints) -> None:
    complaints.length(f"{path}name", one.get("name"), 32, 1)
    name = str(one.get("name", ""))
    if kind == CHAT_INPUT and (not _NAME.fullmatch(name) or name != name.lower()):
        complaints.add(f"{path}name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
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
