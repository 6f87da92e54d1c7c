"""`/_sim/…`: the simulator's powers from outside, as JSON over HTTP, for benchmarks and for tests that kill processes.

`POST /_sim/{verb}` with a JSON object, or `GET /_sim/{verb}?…`, answers JSON. A person is given by name, a channel by
id or name. Errors answer 400 with `{"error": …}`. `GET /_sim/watch` is a WebSocket that streams every post.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from .mischief import Fault
from .refusal import Refusal
from .transport import Outcome
from .workspace import Channel, Json, Message

if TYPE_CHECKING:
    from .people import Person
    from .simulator import SlackSimulator

Verb = Callable[["SlackSimulator", Json], Json | Awaitable[Json]]
_VERBS: dict[str, Verb] = {}


def _verb(run: Verb) -> Verb:
    name: str = getattr(run, "__name__")  # noqa: B009 - a Callable has no declared name
    _VERBS[name] = run
    return run


class Control:
    """Serves the verbs."""

    def __init__(self, slack: SlackSimulator) -> None:
        self._slack = slack

    def mount(self, app: web.Application) -> None:
        app.router.add_get("/_sim/watch", self._watch)
        app.router.add_route("*", "/_sim/{verb}", self._handle)

    async def _handle(self, request: web.Request) -> web.Response:
        run = _VERBS.get(request.match_info["verb"])
        if run is None:
            return web.json_response({"error": "no such verb", "verbs": sorted(_VERBS)}, status=404)
        body = await request.read()
        try:
            answer = run(self._slack, dict(request.query) | (json.loads(body) if body else {}))
            return web.json_response(answer if isinstance(answer, dict) else await answer)
        except (LookupError, ValueError, TypeError, Refusal) as wrong:
            return web.json_response({"error": f"{type(wrong).__name__}: {wrong}"}, status=400)

    async def _watch(self, request: web.Request) -> web.WebSocketResponse:
        """Every post as it is accepted; `?after=N` starts with those numbered above N."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        queue = self._slack.watch()
        for note in _posts_after(self._slack, int(request.query.get("after", len(self._slack.posts)))):
            queue.put_nowait(note)
        sender = asyncio.create_task(_stream(queue, socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self._slack.unwatch(queue)
            sender.cancel()
        return socket


async def _stream(queue: asyncio.Queue[Json], socket: web.WebSocketResponse) -> None:
    while not socket.closed:
        await socket.send_str(json.dumps(await queue.get()))


def _posts_after(slack: SlackSimulator, number: int) -> list[Json]:
    return [note for note in slack.posts if note["number"] > number]


# --- setting the stage --------------------------------------------------------------------------------------------


@_verb
def state(slack: SlackSimulator, args: Json) -> Json:
    """All secrets and ids, and how the app is doing."""
    app = slack.workspace.app
    return {
        "url": slack.url,
        "api_url": slack.api_url,
        "bot_token": app.bot_token,
        "app_token": app.app_token,
        "signing_secret": app.signing_secret,
        "team_id": slack.workspace.team_id,
        "bot_user_id": app.bot.id,
        "bot_id": app.bot_id,
        "app_id": app.id,
        "channels": {c.name: c.id for c in slack.workspace.channels.values() if c.kind != "im"},
        "people": {u.name: u.id for u in slack.workspace.users.values()},
        "connections": len(slack.sockets.connections),
        "events_pending": slack.events.pending,
        "events_disabled": slack.events.disabled,
        "calls": len(slack.calls),
        "posts": len(slack.posts),
    }


@_verb
def channel(slack: SlackSimulator, args: Json) -> Json:
    """{name, private?, bot?} → {id}; or {names: […]} → {ids: {name: id}}."""
    flags = {"private": bool(args.get("private")), "bot": bool(args.get("bot", True))}
    if "names" in args:
        return {"ids": {name: slack.channel(name, **flags).id for name in args["names"]}}
    return {"id": slack.channel(args["name"], **flags).id}


@_verb
def person(slack: SlackSimulator, args: Json) -> Json:
    """{person, stranger?, real_name?, …} → {id}."""
    details = {k: v for k, v in args.items() if k != "person"}
    return {"id": slack.person(args["person"], **details).id}


@_verb
def install(slack: SlackSimulator, args: Json) -> Json:
    """{manifest}: grant and subscribe exactly what it asks for."""
    slack.install(args["manifest"])
    return {}


@_verb
async def deliver(slack: SlackSimulator, args: Json) -> Json:
    """{url, interactivity_url?, verify?}: over signed HTTP; without a url over sockets → {verified}."""
    slack.use_http(args.get("url", ""), args.get("interactivity_url", ""))
    verified = await slack.transport.verify(args["url"]) if args.get("verify") else None
    return {"verified": verified}


@_verb
def limits(slack: SlackSimulator, args: Json) -> Json:
    """{enabled?, factor?, drop_floods?}; what was used up is forgotten."""
    for name in args.keys() & {"enabled", "factor", "drop_floods"}:
        setattr(slack.limits, name, args[name])
    slack.limits.reset()
    return {}


@_verb
def habits(slack: SlackSimulator, args: Json) -> Json:
    """Any of Habits' fields → all of them."""
    known = {f.name for f in fields(slack.habits)}
    if unknown := args.keys() - known:
        raise ValueError(f"unknown habits: {sorted(unknown)}")
    for name, value in args.items():
        setattr(slack.habits, name, tuple(value) if isinstance(value, list) else value)
    return asdict(slack.habits)


@_verb
def clock(slack: SlackSimulator, args: Json) -> Json:
    """{advance: seconds} → {now}."""
    slack.clock.advance(float(args.get("advance", 0)))
    return {"now": slack.clock.now()}


@_verb
def mischief(slack: SlackSimulator, args: Json) -> Json:
    """{fault, target?, times?, skip?, probability?, seconds?, error?, copies?, match?}, or {seed}, or {clear: true}."""
    options = dict(args)
    if "seed" in options:
        slack.mischief.reseed(int(options.pop("seed")))
    if options.pop("clear", False):
        slack.mischief.clear()
    if "fault" in options:
        slack.mischief.add(options.pop("fault"), options.pop("target", "*"), **options)
    return {"rules": [{"fault": r.fault, "target": r.target, "fired": r.fired} for r in slack.mischief.rules]}


# --- what people do -----------------------------------------------------------------------------------------------


def _person(slack: SlackSimulator, args: Json) -> Person:
    return slack.person(args.get("person", "operator"))


def _posted(message: Message) -> Json:
    return {"ts": message.ts, "thread_ts": message.thread_ts}


def _outcome(outcome: Outcome) -> Json:
    return asdict(outcome)


@_verb
def say(slack: SlackSimulator, args: Json) -> Json:
    """{person, channel, text, thread_ts?, broadcast?} → {ts}; the events are on their way."""
    options = {k: args[k] for k in ("thread_ts", "broadcast", "at") if k in args}
    return _posted(_person(slack, args).say(args["channel"], args["text"], **options))


@_verb
def upload(slack: SlackSimulator, args: Json) -> Json:
    """{person, channel, name, base64, text?, thread_ts?, check_file_info?} → {ts, files}."""
    options = {k: args[k] for k in ("text", "thread_ts", "check_file_info") if k in args}
    data = base64.b64decode(args["base64"])
    message = _person(slack, args).upload(args["channel"], args["name"], data, **options)
    return _posted(message) | {"files": message.files}


@_verb
def edit(slack: SlackSimulator, args: Json) -> Json:
    """{person, channel, ts, text}."""
    return _posted(_person(slack, args).edit(args["channel"], args["ts"], args["text"]))


@_verb
def delete(slack: SlackSimulator, args: Json) -> Json:
    """{person, channel, ts}: anybody's message, the bot's included."""
    _person(slack, args).delete(args["channel"], args["ts"])
    return {}


@_verb
def unfurl(slack: SlackSimulator, args: Json) -> Json:
    """{channel, ts}: Slack adds previews of the message's links."""
    place = slack.find_channel(args["channel"])
    slack.happenings.unfurl(place, slack.message(place, args["ts"]))
    return {}


@_verb
def react(slack: SlackSimulator, args: Json) -> Json:
    """{person, channel, ts, name, remove?}."""
    somebody = _person(slack, args)
    act = somebody.unreact if args.get("remove") else somebody.react
    act(args["channel"], args["ts"], args["name"])
    return {}


@_verb
async def click(slack: SlackSimulator, args: Json) -> Json:
    """{person, channel, ts, action, value?} → the app's acknowledgement."""
    somebody = _person(slack, args)
    return _outcome(await somebody.click(args["channel"], args["ts"], args["action"], value=args.get("value")))


@_verb
async def slash(slack: SlackSimulator, args: Json) -> Json:
    """{person, channel, command, text?} → the app's acknowledgement."""
    somebody = _person(slack, args)
    return _outcome(await somebody.slash(args["channel"], args["command"], args.get("text", "")))


@_verb
async def shortcut(slack: SlackSimulator, args: Json) -> Json:
    """{person, callback_id, channel?, ts?} → the app's acknowledgement; with a ts, a message's shortcut."""
    somebody = _person(slack, args)
    if "ts" in args:
        return _outcome(await somebody.message_shortcut(args["channel"], args["ts"], args["callback_id"]))
    return _outcome(await somebody.shortcut(args["callback_id"]))


@_verb
async def submit(slack: SlackSimulator, args: Json) -> Json:
    """{person, values}: the modal on top → the app's acknowledgement."""
    return _outcome(await _person(slack, args).submit(args["values"]))


@_verb
def home(slack: SlackSimulator, args: Json) -> Json:
    """{person}: opens the app's home tab."""
    _person(slack, args).open_home()
    return {}


@_verb
def presence(slack: SlackSimulator, args: Json) -> Json:
    """{person, presence: active or away}."""
    _person(slack, args).be(args["presence"])
    return {}


@_verb
def manage(slack: SlackSimulator, args: Json) -> Json:
    """{person, channel, action, name?, thread_ts?}: what an administrator does to a channel → {id}."""
    somebody, place = _person(slack, args), slack.find_channel(args["channel"])
    actions: dict[str, Callable[[], Any]] = {
        "archive": lambda: somebody.archive(place),
        "unarchive": lambda: somebody.unarchive(place),
        "rename": lambda: somebody.rename(place, args["name"]),
        "change_id": lambda: slack.happenings.change_id(place),
        "invite_bot": lambda: somebody.invite_bot(place),
        "remove_bot": lambda: somebody.remove_bot(place),
        "lock": lambda: somebody.lock(place, args["thread_ts"]),
        "join": lambda: somebody.join(place),
        "leave": lambda: somebody.leave(place),
    }
    actions[args["action"]]()
    return {"id": place.id}


# --- what goes wrong between Slack and the app ----------------------------------------------------------------------


@_verb
async def sockets(slack: SlackSimulator, args: Json) -> Json:
    """{action: drop | deafen | disconnect | expire | enable, index?, reason?, answers_pings?} → {connections}."""
    action, chosen = args.get("action", ""), list(slack.sockets.connections)
    if "index" in args:
        chosen = [chosen[int(args["index"])]]
    if action == "disconnect":
        await asyncio.gather(*(c.disconnect(args.get("reason", "refresh_requested")) for c in chosen))
        slack.sockets.link_disabled = args.get("reason") == "link_disabled"
    elif action == "deafen":
        for connection in chosen:
            connection.deafen(answers_pings=bool(args.get("answers_pings", True)))
    elif action == "drop":
        for connection in chosen:
            connection.drop()
    elif action == "expire":
        slack.sockets.expire_tickets()
    elif action == "enable":
        slack.sockets.enable_link()
    return {"connections": len(slack.sockets.connections)}


@_verb
def outage(slack: SlackSimulator, args: Json) -> Json:
    """{fault?, seconds?}: Slack is away, or with {sockets: true} only deaf; {over: true}: it is back."""
    if args.get("over"):
        slack.come_back()
    elif args.get("sockets"):
        slack.deafen()
    else:
        slack.go_down(Fault(args.get("fault", Fault.BAD_GATEWAY)), seconds=float(args.get("seconds", 1.0)))
    return {"connections": len(slack.sockets.connections)}


@_verb
def token(slack: SlackSimulator, args: Json) -> Json:
    """{action: revoke | restore}."""
    if args["action"] == "revoke":
        slack.happenings.revoke()
    else:
        slack.workspace.app.revoked = False
    return {}


@_verb
def subscription(slack: SlackSimulator, args: Json) -> Json:
    """{enable: true}: somebody switches the disabled events on again."""
    if args.get("enable"):
        slack.events.enable()
    return {"disabled": slack.events.disabled}


# --- what can be seen ---------------------------------------------------------------------------------------------


def _shown(slack: SlackSimulator, place: Channel, message: Message) -> Json:
    return asdict(message) | {"seen": slack.seen(message), "channel": place.id}


@_verb
def roots(slack: SlackSimulator, args: Json) -> Json:
    """{channel} → {messages}: all that stands top-level."""
    place = slack.find_channel(args["channel"])
    return {"messages": [_shown(slack, place, m) for m in slack.roots(place)]}


@_verb
def thread(slack: SlackSimulator, args: Json) -> Json:
    """{channel, ts} → {texts, messages}: a thread without its root."""
    place = slack.find_channel(args["channel"])
    messages = [_shown(slack, place, m) for m in slack.replies(place, args["ts"])]
    return {"texts": [m["seen"] for m in messages], "messages": messages}


@_verb
def calls(slack: SlackSimulator, args: Json) -> Json:
    """{method?, after?} → {calls}: the journal, of calls numbered above `after`."""
    after, wanted = int(args.get("after", 0)), args.get("method")
    found = [c for c in slack.calls if c.number > after and wanted in (None, c.method)]
    return {"calls": [asdict(c) for c in found]}


@_verb
def deliveries(slack: SlackSimulator, args: Json) -> Json:
    """{after?} → {deliveries}: each event numbered above `after`, its state, attempts, and when it was sent."""
    after = int(args.get("after", 0))
    return {"deliveries": [asdict(d) for d in slack.events.deliveries if d.number > after]}


@_verb
async def settled(slack: SlackSimulator, args: Json) -> Json:
    """{leap?, timeout?}: answers once no event is on its way any more → {settled}; `leap` hurries retries on."""
    leap, timeout = bool(args.get("leap")), float(args.get("timeout", 10))
    try:
        await slack.events.settled(leap=leap, timeout=timeout)
    except AssertionError:
        return {"settled": False}
    return {"settled": True}


@_verb
async def posts(slack: SlackSimulator, args: Json) -> Json:
    """{after?, timeout?} → {posts}: a long poll for those numbered above `after`."""
    after, timeout = int(args.get("after", 0)), float(args.get("timeout", 0))
    if timeout and not _posts_after(slack, after):
        queue = slack.watch()
        try:
            async with asyncio.timeout(timeout):
                await queue.get()
        except TimeoutError:
            return {"posts": []}
        finally:
            slack.unwatch(queue)
    return {"posts": _posts_after(slack, after)}
