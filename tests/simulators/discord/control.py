"""`/_sim/…`: the simulator's powers from outside, as JSON over HTTP, for benchmarks and for tests that kill processes.

`POST /_sim/{verb}` with a JSON object, or `GET /_sim/{verb}?…`, answers JSON. A person is given by name, a channel or
thread by id or name. Errors answer 400 with `{"error": …}`. `GET /_sim/watch` is a WebSocket that streams every post.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from . import shapes
from .guild import Channel, Json, Message, Thread
from .mischief import Fault
from .permissions import Permission
from .refusal import Refusal
from .transport import Outcome

if TYPE_CHECKING:
    from .gateway import Connection
    from .people import Person
    from .simulator import DiscordSimulator

Verb = Callable[["DiscordSimulator", Json], Json | Awaitable[Json]]
_VERBS: dict[str, Verb] = {}


def _verb(run: Verb) -> Verb:
    name: str = getattr(run, "__name__")  # noqa: B009 - a Callable has no declared name
    _VERBS[name.rstrip("_")] = run
    return run


class Control:
    """Serves the verbs."""

    def __init__(self, discord: DiscordSimulator) -> None:
        self._discord = discord

    def mount(self, app: web.Application) -> None:
        app.router.add_get("/_sim/watch", self._watch)
        app.router.add_route("*", "/_sim/{verb}", self._handle)

    async def _handle(self, request: web.Request) -> web.Response:
        run = _VERBS.get(request.match_info["verb"])
        if run is None:
            return web.json_response({"error": "no such verb", "verbs": sorted(_VERBS)}, status=404)
        body = await request.read()
        try:
            answer = run(self._discord, dict(request.query) | (json.loads(body) if body else {}))
            return web.json_response(answer if isinstance(answer, dict) else await answer)
        except (LookupError, ValueError, TypeError, PermissionError, Refusal) as wrong:
            return web.json_response({"error": f"{type(wrong).__name__}: {wrong}"}, status=400)

    async def _watch(self, request: web.Request) -> web.WebSocketResponse:
        """Every post as it is accepted; `?after=N` starts with those numbered above N."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        queue = self._discord.watch()
        for note in _posts_after(self._discord, int(request.query.get("after", len(self._discord.posts)))):
            queue.put_nowait(note)
        sender = asyncio.create_task(_stream(queue, socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self._discord.unwatch(queue)
            sender.cancel()
        return socket


async def _stream(queue: asyncio.Queue[Json], socket: web.WebSocketResponse) -> None:
    while not socket.closed:
        await socket.send_str(json.dumps(await queue.get()))


def _posts_after(discord: DiscordSimulator, number: int) -> list[Json]:
    return [note for note in discord.posts if note["number"] > number]


# --- setting the stage --------------------------------------------------------------------------------------------


@_verb
def state(discord: DiscordSimulator, args: Json) -> Json:
    """All secrets and ids, and how the app is doing."""
    guild = discord.guild
    return {
        "url": discord.url,
        "api_url": discord.api_url,
        "gateway_url": discord.gateway_url,
        "cdn_url": discord.cdn_url,
        "token": discord.token,
        "public_key": discord.public_key,
        "guild_id": guild.id,
        "application_id": guild.app.id,
        "bot_user_id": guild.app.bot.id,
        "channels": {c.name: c.id for c in guild.channels.values() if not c.recipient_id},
        "tags": {c.name: {t.name: t.id for t in c.tags} for c in guild.channels.values() if c.tags},
        "people": {u.name: u.id for u in guild.users.values()},
        "commands": {c["name"]: c["id"] for c in guild.app.commands.values()},
        "connections": len(discord.gateway.listening),
        "sessions": len(discord.gateway.sessions),
        "identifies": len(discord.gateway.identifies),
        "resumes": discord.gateway.resumes,
        "events_pending": discord.events.pending,
        "invalid_requests": discord.api.invalid.count(discord.habits.invalid_requests[1]),
        "calls": len(discord.calls),
        "posts": len(discord.posts),
    }


@_verb
def channel(discord: DiscordSimulator, args: Json) -> Json:
    """{name, kind?: text, forum or announcement, private?, bot?, tags?} → {id, tags}."""
    options = {k: args[k] for k in ("kind", "private", "bot", "tags") if k in args}
    made = discord.channel(args["name"], **options)
    return {"id": made.id, "tags": {t.name: t.id for t in made.tags}}


@_verb
def person(discord: DiscordSimulator, args: Json) -> Json:
    """{person, moderator?, global_name?, …} → {id}."""
    details = {k: v for k, v in args.items() if k != "person"}
    return {"id": discord.person(args["person"], **details).id}


@_verb
def role(discord: DiscordSimulator, args: Json) -> Json:
    """{name, permissions?, mentionable?, people?} → {id}: a new role, given to these people."""
    wanted = Permission(int(args.get("permissions", 0)))
    made = discord.role(args["name"], wanted, mentionable=bool(args.get("mentionable")))
    for name in args.get("people", []):
        discord.person(name).take(made.id)
    return {"id": made.id}


@_verb
def permit(discord: DiscordSimulator, args: Json) -> Json:
    """{channel, target, allow?, deny?}: an overwrite; the target a role's or user's id, `everyone` or `bot`; the
    permissions named as `SEND_MESSAGES`, in lists."""
    named = {"everyone": discord.guild.id, "bot": discord.guild.app.bot.id}
    place, target = discord.find_channel(args["channel"]), str(named.get(args["target"], args["target"]))
    for name in args.get("allow", []):
        discord.allow(place, target, Permission[name])
    for name in args.get("deny", []):
        discord.deny(place, target, Permission[name])
    return {}


@_verb
def install(discord: DiscordSimulator, args: Json) -> Json:
    """{permissions?, privileged?}: what the bot may do everywhere, and which privileged intents are switched on."""
    if "permissions" in args:
        discord.install(int(args["permissions"]))
    if "privileged" in args:
        discord.guild.app.privileged = set(args["privileged"])
    return {}


@_verb
async def deliver(discord: DiscordSimulator, args: Json) -> Json:
    """{url?}: interactions over signed HTTP, once the address was verified; without a url over the gateway."""
    if args.get("url"):
        await discord.use_http(args["url"])
    else:
        discord.use_gateway()
    return {"url": discord.guild.app.interactions_url}


@_verb
def limits(discord: DiscordSimulator, args: Json) -> Json:
    """{enabled?}; what was used up is forgotten."""
    discord.limits.enabled = bool(args.get("enabled", discord.limits.enabled))
    discord.limits.reset()
    return {"enabled": discord.limits.enabled}


@_verb
def habits(discord: DiscordSimulator, args: Json) -> Json:
    """Any of Habits' fields → all of them."""
    known = {f.name for f in fields(discord.habits)}
    if unknown := args.keys() - known:
        raise ValueError(f"unknown habits: {sorted(unknown)}")
    for name, value in args.items():
        setattr(discord.habits, name, tuple(value) if isinstance(value, list) else value)
    return asdict(discord.habits)


@_verb
def clock(discord: DiscordSimulator, args: Json) -> Json:
    """{advance: seconds} → {now, archived}: threads that are idle by then are archived."""
    idle = discord.pass_time(float(args.get("advance", 0)))
    return {"now": discord.clock.now(), "archived": [t.id for t in idle]}


@_verb
def mischief(discord: DiscordSimulator, args: Json) -> Json:
    """{fault, target?, times?, skip?, probability?, seconds?, status?, code?, copies?, match?, missing?}, or {seed}, or
    {clear: true}."""
    options = dict(args)
    if "seed" in options:
        discord.mischief.reseed(int(options.pop("seed")))
    if options.pop("clear", False):
        discord.mischief.clear()
    if "fault" in options:
        discord.mischief.add(options.pop("fault"), options.pop("target", "*"), **options)
    return {"rules": [{"fault": r.fault, "target": r.target, "fired": r.fired} for r in discord.mischief.rules]}


# --- what people do -----------------------------------------------------------------------------------------------


def _person(discord: DiscordSimulator, args: Json) -> Person:
    return discord.person(args.get("person", "operator"))


def _posted(message: Message) -> Json:
    return {"id": message.id, "channel": message.channel_id}


def _outcome(outcome: Outcome) -> Json:
    return asdict(outcome)


@_verb
def say(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, text, reply_to?, sticker?, files?: [{name, base64}]} → {id}; the events are on their way."""
    files = [(f["name"], base64.b64decode(f["base64"])) for f in args.get("files", [])]
    options = {k: args[k] for k in ("reply_to", "sticker") if k in args}
    return _posted(_person(discord, args).say(args["channel"], args.get("text", ""), files=files, **options))


@_verb
def speak(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, base64, seconds?}: a voice message → {id}."""
    data = base64.b64decode(args["base64"])
    return _posted(_person(discord, args).speak(args["channel"], data, seconds=float(args.get("seconds", 3))))


@_verb
def forward(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, source, id} → {id}: the message `id` of `source` is forwarded."""
    return _posted(_person(discord, args).forward(args["channel"], args["source"], args["id"]))


@_verb
def edit(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, id, text}."""
    return _posted(_person(discord, args).edit(args["channel"], args["id"], args["text"]))


@_verb
def delete(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, id}, or ids: one's own message, or as a moderator anybody's."""
    if "ids" in args:
        _person(discord, args).delete_many(args["channel"], args["ids"])
    else:
        _person(discord, args).delete(args["channel"], args["id"])
    return {}


@_verb
def unfurl(discord: DiscordSimulator, args: Json) -> Json:
    """{channel, id}: Discord adds previews of the message's links."""
    place = discord.find_channel(args["channel"])
    discord.happenings.unfurl(place, discord.message(place, args["id"]))
    return {}


@_verb
def react(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, id, emoji, remove?}."""
    somebody = _person(discord, args)
    act = somebody.unreact if args.get("remove") else somebody.react
    act(args["channel"], args["id"], args["emoji"])
    return {}


@_verb
def type_(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel}."""
    _person(discord, args).type(args["channel"])
    return {}


@_verb
async def click(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, id, button} → how it began: ok, reason, type and answer."""
    return _outcome(await _person(discord, args).click(args["channel"], args["id"], args["button"]))


@_verb
async def choose(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, id, select, values}."""
    somebody = _person(discord, args)
    return _outcome(await somebody.choose(args["channel"], args["id"], args["select"], *args["values"]))


@_verb
async def slash(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, command, options?}."""
    somebody = _person(discord, args)
    return _outcome(await somebody.slash(args["channel"], args["command"], **args.get("options", {})))


@_verb
async def complete(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, command, option, typed} → {names}."""
    asked = (args["channel"], args["command"], args["option"], args["typed"])
    return {"names": await _person(discord, args).complete(*asked)}


@_verb
async def menu(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, id, name}: an entry in a message's menu; with `user` instead of `id`, in a person's."""
    somebody = _person(discord, args)
    if "user" in args:
        return _outcome(await somebody.user_menu(args["channel"], args["user"], args["name"]))
    return _outcome(await somebody.message_menu(args["channel"], args["id"], args["name"]))


@_verb
async def submit(discord: DiscordSimulator, args: Json) -> Json:
    """{person, values}: the window that is open before them."""
    return _outcome(await _person(discord, args).submit(args["values"]))


@_verb
def modal(discord: DiscordSimulator, args: Json) -> Json:
    """{person, close?} → {modal}: the window that is open before them, or null."""
    try:
        shown: Json | None = _person(discord, args).modal()
    except LookupError:
        shown = None
    if args.get("close"):
        _person(discord, args).close_modal()
    return {"modal": shown}


@_verb
def open_thread(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, name, on?, first?} → {id}."""
    options = {k: args[k] for k in ("on", "first") if k in args}
    return {"id": _person(discord, args).open_thread(args["channel"], args["name"], **options).id}


@_verb
def manage(discord: DiscordSimulator, args: Json) -> Json:
    """{person, channel, action, name?, tags?}: what a moderator does to a thread or channel → {id}."""
    somebody, place = _person(discord, args), discord.find_channel(args["channel"])
    actions: dict[str, Callable[[], Any]] = {
        "archive": lambda: somebody.archive(place),
        "unarchive": lambda: somebody.unarchive(place),
        "lock": lambda: somebody.lock(place),
        "unlock": lambda: somebody.unlock(place),
        "rename": lambda: somebody.rename(place, args["name"]),
        "retag": lambda: somebody.retag(place, args["tags"]),
        "delete": lambda: _delete(discord, somebody, place),
    }
    actions[args["action"]]()
    return {"id": place.id}


def _delete(discord: DiscordSimulator, somebody: Person, place: Channel) -> None:
    if isinstance(place, Thread):
        somebody.delete_thread(place)
    else:
        discord.happenings.delete_channel(place)


@_verb
def leave(discord: DiscordSimulator, args: Json) -> Json:
    """{person}: they leave the guild; with {bot: true}, the bot is thrown out."""
    if args.get("bot"):
        _person(discord, args).kick_bot()
    else:
        _person(discord, args).leave()
    return {}


# --- what goes wrong between Discord and the app ------------------------------------------------------------------


@_verb
def gateway(discord: DiscordSimulator, args: Json) -> Json:
    """{action?: drop | close | reconnect | invalidate | deafen | withhold_acks | shut | open, index?, code?,
    resumable?} → {connections, paths}: to the connection of this index, or to all."""
    chosen = list(discord.gateway.connections)
    if "index" in args:
        chosen = [chosen[int(args["index"])]]
    action = args.get("action", "")
    if action in ("shut", "open"):
        discord.gateway.is_shut = action == "shut"
    elif action:
        for connection in chosen:
            _disturb(discord, connection, action, args)
    connections = discord.gateway.connections
    return {"connections": len(connections), "paths": [c.path for c in connections]}


def _disturb(discord: DiscordSimulator, connection: Connection, action: str, args: Json) -> None:
    """Closing is only begun here: it ends when the client has said goodbye as well."""
    acts: dict[str, Callable[[], None]] = {
        "drop": connection.drop,
        "close": lambda: discord.spawn(connection.close(int(args.get("code", 1000)))),
        "reconnect": connection.reconnect,
        "invalidate": lambda: connection.invalidate(resumable=bool(args.get("resumable"))),
        "deafen": connection.deafen,
        "withhold_acks": connection.withhold_acks,
    }
    acts[action]()


@_verb
def outage(discord: DiscordSimulator, args: Json) -> Json:
    """{fault?, status?, seconds?}: Discord is away, or with {gateway: true} only deaf, or with {guild: true} only the
    guild; {over: true}: it is back."""
    if args.get("guild"):
        discord.happenings.outage(over=bool(args.get("over")))
    elif args.get("over"):
        discord.come_back()
    elif args.get("gateway"):
        discord.deafen()
    else:
        fault = Fault(args.get("fault", Fault.SERVER_ERROR))
        discord.go_down(fault, status=int(args.get("status", 502)), seconds=float(args.get("seconds", 1.0)))
    return {"connections": len(discord.gateway.connections)}


@_verb
async def token(discord: DiscordSimulator, args: Json) -> Json:
    """{action: reset} → {token}."""
    if args.get("action") == "reset":
        await discord.reset_token()
    return {"token": discord.token}


# --- what can be seen ---------------------------------------------------------------------------------------------


def _shown(discord: DiscordSimulator, place: Channel, message: Message) -> Json:
    pings = [asdict(ping) for ping in message.pings]
    acts = [asdict(act) for act in discord.acts(message)]
    return discord.shape(place, message) | {"seen": discord.seen(message), "pings": pings, "acts": acts}


@_verb
def threads(discord: DiscordSimulator, args: Json) -> Json:
    """{channel} → {threads}: oldest first, each with the names of its tags."""
    found = discord.threads(args["channel"])
    return {"threads": [shapes.thread(t, discord.guild) | {"tags": discord.tags(t)} for t in found]}


@_verb
def messages(discord: DiscordSimulator, args: Json) -> Json:
    """{channel} → {texts, messages}: what people read there, in order."""
    place = discord.find_channel(args["channel"])
    found = [_shown(discord, place, m) for m in discord.messages(place)]
    return {"texts": [m["seen"] for m in found], "messages": found}


@_verb
def whispers(discord: DiscordSimulator, args: Json) -> Json:
    """{person} → {messages}: what stands before them alone."""
    found = _person(discord, args).whispers()
    return {"messages": [_shown(discord, discord.find_channel(m.channel_id), m) for m in found]}


@_verb
def calls(discord: DiscordSimulator, args: Json) -> Json:
    """{route?, after?} → {calls}: the journal, of calls numbered above `after`."""
    after, wanted = int(args.get("after", 0)), args.get("route")
    found = [c for c in discord.calls if c.number > after and wanted in (None, c.route)]
    return {"calls": [_called(call) for call in found]}


def _called(call: Any) -> Json:
    kept = (
        "number",
        "route",
        "path",
        "query",
        "body",
        "at",
        "received",
        "answered",
        "status",
        "code",
        "outcome",
        "done",
    )
    return {name: getattr(call, name) for name in kept} | {"files": [f.filename for f in call.files]}


@_verb
def dispatches(discord: DiscordSimulator, args: Json) -> Json:
    """{kind?, after?} → {dispatches}: the events numbered above `after`, and when each was sent."""
    after, wanted = int(args.get("after", 0)), args.get("kind")
    found = [d for d in discord.events.dispatches if d.number > after and wanted in (None, d.kind)]
    return {"dispatches": [{"number": d.number, "kind": d.kind, "data": d.data, "at": d.at} for d in found]}


@_verb
async def settled(discord: DiscordSimulator, args: Json) -> Json:
    """{timeout?}: answers once every event is on the wire → {settled}."""
    try:
        await discord.events.settled(timeout=float(args.get("timeout", 10)))
    except AssertionError:
        return {"settled": False}
    return {"settled": True}


@_verb
async def posts(discord: DiscordSimulator, args: Json) -> Json:
    """{after?, timeout?} → {posts}: a long poll for those numbered above `after`."""
    after, timeout = int(args.get("after", 0)), float(args.get("timeout", 0))
    if timeout and not _posts_after(discord, after):
        queue = discord.watch()
        try:
            async with asyncio.timeout(timeout):
                await queue.get()
        except TimeoutError:
            return {"posts": []}
        finally:
            discord.unwatch(queue)
    return {"posts": _posts_after(discord, after)}
