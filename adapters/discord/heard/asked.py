"""From interactions to what people ask of us: what they pressed, filled in or typed. Pure, as `parse` is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum

from adapters.discord.heard.app import App
from adapters.discord.heard.happenings import (
    AtHome,
    Author,
    Commanded,
    Happening,
    Ignored,
    Interaction,
    Pinged,
    Pressed,
    Shortcut,
    Submitted,
)
from adapters.discord.heard.shape import Given
from adapters.discord.refs import Aim, Post, Root, read_custom_id, read_home_id
from routing.ids import InputKey

_EPHEMERAL = 1 << 6


class _Ask(IntEnum):
    """Kinds of interaction."""

    PING = 1
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class _Command(IntEnum):
    SLASH = 1
    USER = 2
    MESSAGE = 3


def interaction(body: Given, app: App) -> Happening:
    """What somebody pressed, filled in or typed for us."""
    if body.id("application_id") not in ("", app.application):
        return Ignored("an interaction of another app")
    handle = Interaction(body.id("id", must=True), body.text("token", must=True), body.text("locale"))
    kind = body.number("type", must=True)
    if kind == _Ask.PING:
        return Pinged(handle)
    guild = body.id("guild_id")
    if not guild:
        return Ignored("an interaction outside of a server")
    root = Root(guild, body.id("channel_id") or body.object("channel").id("id", must=True))
    return _ASKED.get(kind, _unknown)(body, root, handle)


Reader = Callable[[Given, Root, Interaction], "Happening"]


def _key(handle: Interaction) -> InputKey:
    return InputKey(f"discord/interaction/{handle.id}")


def _member(body: Given, guild: str) -> Author:
    member = body.object("member", must=True)
    user = member.object("user", must=True)
    return Author.of(guild, user.id("id", must=True), member)


def _pressed(body: Given, root: Root, handle: Interaction) -> Happening:
    data, stood = body.object("data", must=True), body.object("message", must=True)
    home = read_home_id(data.text("custom_id"))
    if home:
        return AtHome(_key(handle), root, home, _member(body, root.guild), handle)
    found = read_custom_id(data.text("custom_id"))
    if found is None:
        return Ignored("a button that is not ours")
    action, aim = found
    choices = data.texts("values")
    return Pressed(
        _key(handle),
        root,
        action,
        Aim(aim.placed, aim.message, choices[0] if choices else aim.choice),
        _member(body, root.guild),
        handle,
        Post(root.guild, stood.id("channel_id") or root.thread, stood.id("id", must=True)),
        bool(stood.number("flags") & _EPHEMERAL),
        choices,
    )


def _submitted(body: Given, root: Root, handle: Interaction) -> Happening:
    data = body.object("data", must=True)
    found = read_custom_id(data.text("custom_id"))
    if found is None:
        return Ignored("a window that is not ours")
    action, aim = found
    member, stood = _member(body, root.guild), body.has("message")
    return Submitted(_key(handle), root, action, aim, member, handle, _values(data), stood)


def _values(data: Given) -> Mapping[str, tuple[str, ...]]:
    """Each field stands in a row, or in a label, of its own."""
    found: dict[str, tuple[str, ...]] = {}
    for one in data.objects("components"):
        for field in [*one.objects("components"), *([one.object("component")] if one.has("component") else [])]:
            value = _typed_in(field)
            found[field.text("custom_id")] = field.texts("values") or ((value,) if value else ())
    return found


def _typed_in(given: Given) -> str:
    """A value as text, whether it was typed, counted or ticked."""
    value = given.value.get("value")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else given.text("value")


def _commanded(body: Given, root: Root, handle: Interaction) -> Happening:
    data = body.object("data", must=True)
    if data.number("type") == _Command.MESSAGE:
        return _shortcut(body, data, root, handle)
    if data.number("type") not in (0, _Command.SLASH):
        return Ignored(f"a command of type {data.number('type')}")
    words, options, focused = _typed(data)
    return Commanded(_key(handle), root, words, options, _member(body, root.guild), handle, focused)


def _typed(data: Given) -> tuple[tuple[str, ...], Mapping[str, str], str]:
    words, level, focused = [data.text("name", must=True)], data, ""
    while nested := [one for one in level.objects("options") if one.number("type") in (1, 2)]:
        level = nested[0]
        words.append(level.text("name", must=True))
    options: dict[str, str] = {}
    for one in level.objects("options"):
        options[one.text("name", must=True)] = _typed_in(one)
        focused = one.text("name") if one.flag("focused") else focused
    return tuple(words), options, focused


def _shortcut(body: Given, data: Given, root: Root, handle: Interaction) -> Happening:
    target = data.id("target_id", must=True)
    found = data.object("resolved").object("messages").object(target)
    author = _member(body, root.guild)
    name = data.text("name", must=True)
    return Shortcut(_key(handle), root, target, name, author, handle, found.text("content"))


def _unknown(body: Given, root: Root, handle: Interaction) -> Happening:
    del root, handle
    return Ignored(f"an interaction of type {body.number('type')}")


_ASKED: Mapping[int, Reader] = {
    _Ask.COMMAND: _commanded,
    _Ask.AUTOCOMPLETE: _commanded,
    _Ask.COMPONENT: _pressed,
    _Ask.MODAL: _submitted,
}
