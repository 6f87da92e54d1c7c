"""What people fill in and choose for the app, as Discord's client would send it: menus, windows, commands."""

from __future__ import annotations

from typing import Any

from . import components, shapes
from .components import C
from .guild import Guild, Json, Member

SUBCOMMAND, GROUP = 1, 2


def pressed(component: Json, values: list[str] | None, guild: Guild) -> Json:
    """An interaction's data for a button, or for what was chosen in a menu."""
    data: Json = {"custom_id": component["custom_id"], "component_type": component["type"], "id": component["id"]}
    if component["type"] == C.BUTTON:
        return data
    return data | chosen(component, values or [], guild)


def chosen(select: Json, values: list[str], guild: Guild) -> Json:
    """The choice in a menu; LookupError for what it does not offer, ValueError for too few or too many."""
    if not select.get("min_values", 1) <= len(values) <= select.get("max_values", 1):
        raise ValueError(f"{len(values)} choices in {select['custom_id']}")
    if select["type"] in (C.STRING_SELECT, C.CHECKBOX_GROUP):
        offered = {o["value"]: o["value"] for o in select["options"]} | {
            o["label"]: o["value"] for o in select["options"]
        }
        if unknown := [v for v in values if v not in offered]:
            raise LookupError(f"no option {unknown[0]!r}")
        return {"values": [offered[v] for v in values]}
    return {"values": values, "resolved": resolved(values, guild)}


def resolved(ids: list[str], guild: Guild) -> Json:
    """What stands behind ids."""
    members = {i: shapes.member(guild.members[i], whole=False) for i in ids if i in guild.members}
    found: Json = {"members": members, "users": {i: shapes.user(guild.users[i]) for i in ids if i in guild.users}}
    found["roles"] = {i: shapes.role(guild.roles[i], guild) for i in ids if i in guild.roles}
    channels = {i: place for i in ids if (place := guild.place(i))}
    found["channels"] = {i: shapes.channel(c, guild) | {"permissions": "0"} for i, c in channels.items()}
    return {k: v for k, v in found.items() if v}


def submitted(modal: Json, values: Json, guild: Guild) -> Json:
    """A window's data, filled in (custom_id → text or choices). Raises ValueError where Discord would not send it:
    something required is missing, too short or too long; and LookupError for what the window does not ask."""
    asked = {f["custom_id"] for f in components.fields(modal)}
    if unknown := values.keys() - asked:
        raise LookupError(f"the window has no {', '.join(sorted(unknown))}")
    filled = [_filled(one, values, guild) for one in modal["components"]]
    return {"custom_id": modal["custom_id"], "components": filled}


def _filled(one: Json, values: Json, guild: Guild) -> Json:
    shape: Json = {"type": one["type"], "id": one["id"]}
    if one["type"] == C.ROW:
        return shape | {"components": [_field(f, values, guild) for f in one["components"]]}
    if one["type"] == C.LABEL:
        return shape | {"component": _field(one["component"], values, guild)}
    return shape


def _field(field: Json, values: Json, guild: Guild) -> Json:
    shape: Json = {"type": field["type"], "id": field["id"], "custom_id": field["custom_id"]}
    given = values.get(field["custom_id"])
    if field["type"] == C.TEXT_INPUT:
        return shape | {"value": _text(field, given)}
    if field["type"] == C.CHECKBOX:
        return shape | {"value": bool(field.get("default") if given is None else given)}
    if field["type"] == C.RADIO_GROUP:
        return shape | {"value": _radio(field, given)}
    if given is None and not field.get("required", True):
        return shape | {"values": []}
    if given is None:
        given = [o["value"] for o in field.get("options", []) if o.get("default")]
    return shape | chosen(field, given if isinstance(given, list) else [given], guild)


def _radio(field: Json, given: Any) -> str | None:
    """The one that is chosen; None for none. ValueError where one is required, LookupError for what is not offered."""
    wanted = given if given is not None else next((o["value"] for o in field["options"] if o.get("default")), None)
    if wanted is None and field.get("required", True):
        raise ValueError(f"{field['custom_id']} needs a choice")
    if wanted is not None and wanted not in [o["value"] for o in field["options"]]:
        raise LookupError(f"no option {wanted!r}")
    return None if wanted is None else str(wanted)


def _text(field: Json, given: Any) -> str:
    text = str(field.get("value") or "" if given is None else given)
    least = max(field.get("min_length") or 0, 1 if field.get("required", True) else 0)
    if (text or field.get("required", True)) and not least <= len(text) <= (field.get("max_length") or 4_000):
        raise ValueError(f"{field['custom_id']} must have {least} to {field.get('max_length') or 4_000} characters")
    return text


# --- commands -----------------------------------------------------------------------------------------------------


def command_of(guild: Guild, kind: int, name: str, member: Member, may: int) -> Json:
    """The command as this person's client offers it, the guild's before the global; LookupError when it does not."""
    found = [c for c in guild.app.commands.values() if c["type"] == kind and c["name"] == name]
    found.sort(key=lambda c: "guild_id" not in c)
    if not found:
        raise LookupError(f"no command {name!r}")
    needed = found[0]["default_member_permissions"]
    if needed is not None and (int(needed) & ~may or needed == "0"):
        raise PermissionError(f"{member.user.name} is not offered {name!r}")
    return found[0]


def typed(command: Json, path: list[str], options: Json, focused: str = "") -> Json:
    """The data of a slash command: `path` names its subcommands, `options` what was typed for each option.

    Raises ValueError when something required is missing, LookupError for an option or subcommand that is not there.
    """
    data: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    level, into = command, data
    for step in path:
        level = _option(level, step)
        into["options"] = [{"type": level["type"], "name": step}]
        into = into["options"][0]
    into["options"] = _options(level, options, focused)
    return data


def _option(level: Json, name: str) -> Json:
    found = next((o for o in level.get("options") or [] if o["name"] == name), None)
    if found is None:
        raise LookupError(f"{level['name']} has no {name!r}")
    return dict(found)


def _options(level: Json, options: Json, focused: str) -> list[Json]:
    if any(o["type"] in (SUBCOMMAND, GROUP) for o in level.get("options") or []):
        raise LookupError(f"{level['name']} needs a subcommand")
    for name in options:
        _option(level, name)
    missing = [o["name"] for o in level.get("options") or [] if o.get("required") and o["name"] not in options]
    if missing and not focused:
        raise ValueError(f"{level['name']} needs {', '.join(missing)}")
    return [_typed_option(_option(level, name), value, focused) for name, value in options.items()]


def _typed_option(option: Json, value: Any, focused: str) -> Json:
    if option.get("choices") and value not in [c["value"] for c in option["choices"]]:
        raise LookupError(f"{option['name']} has no choice {value!r}")
    shape = {"type": option["type"], "name": option["name"], "value": value}
    return shape | {"focused": True} if option["name"] == focused else shape
