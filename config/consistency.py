"""What no table of the policy can know alone: whether what one names exists in another, and whether it can work.

A mistake keeps the policy from being loaded. A doubt does not: it works, and is probably not meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from bridge.doctor import Finding
from config.calendars import DAY, HoursTable, Window, moment
from config.rotas import RotaTable, doubly_booked, holes
from config.settings import Settings
from config.tables import SLACK_GROUP, DeskTable, PolicyTables, RungTable
from config.values import DISCORD_ID
from routing.hours import ALWAYS, Hours
from routing.policy import AlertBy, Rota, RungKind

Found = tuple[str, str, str]
"""(key, what, mend)"""

ExpandedHours = Callable[[HoursTable | str], Hours]

LOOK_AHEAD = 28 * DAY
"""How far holes in a rota are looked for: four weeks, which is how far people plan."""

_FROM_DIRECTORY = re.compile(r"op-[0-9a-f]{10}|owner")
"""Ids of accounts: they are in the store, where the policy cannot look."""


def mistakes(tables: PolicyTables, settings: Settings) -> list[Found]:
    """Everything that names what is not there, or asks for what is off."""
    found = [
        *_desk_mistakes(tables, settings),
        *_circles(tables),
        *_topic_mistakes(tables, settings),
        *_operator_mistakes(tables),
        *_rota_mistakes(tables),
        *_hours_mistakes(tables),
    ]
    if settings.slack.enabled and not any(desk.on_slack for desk in tables.desks.values()):
        found.append(("slack.channel", "Slack is on, but no desk works there", "set it, or give a desk its channel"))
    if settings.discord.enabled and not any(desk.on_discord for desk in tables.desks.values()):
        mend = 'set it, or give a desk network = "discord" and its channel'
        found.append(("discord.channel", "Discord is on, but no desk works there", mend))
    return list(dict.fromkeys(found))


# ------------------------------------------------------------------ desks


def _desk_mistakes(tables: PolicyTables, settings: Settings) -> Iterator[Found]:
    for name, desk in tables.desks.items():
        yield from _network_mistakes(f"desks.{name}", desk, settings)
        merged = tables.desk(name)
        yield from _unknown(f"desks.{name}.topics", desk.topics, tables.topics, "topic")
        yield from _unknown(tables.key(name, "fallbacks"), merged.fallbacks, tables.desks, "desk")
        for code, template in desk.templates.items():
            yield from _unknown(f"desks.{name}.templates.{code}.topics", template.topics, tables.topics, "topic")
        yield from _unknown(tables.key(name, "rota"), [merged.rota] if merged.rota else [], tables.rotas, "rota")
        if merged.overflow_after is not None and not merged.fallbacks:
            key = tables.key(name, "overflow_after")
            beside = key.replace("overflow_after", "fallbacks")
            yield key, "it has nowhere to go", f"name the desks that take over in {beside}, or remove it"
        if merged.alert not in set(AlertBy) and not is_group(merged.alert, merged):
            yield tables.key(name, "alert"), f"{merged.alert} is no group of its network's", GROUP_MEND
        for place, rung in enumerate(merged.ladder.rungs):
            yield from _rung_mistakes(tables.key(name, f"ladder.rungs.{place}"), rung, merged, settings)


def _network_mistakes(key: str, desk: DeskTable, settings: Settings) -> Iterator[Found]:
    if desk.on_slack and not desk.pool:
        yield f"{key}.channel", "a desk in Slack needs a channel", "set its id, such as C0123ABCD"
    if desk.channels and desk.channel is not None:
        yield f"{key}.channel", "there is a list of channels, too", "keep one of the two, channel or channels"
    if len(set(desk.channels)) < len(desk.channels):
        yield f"{key}.channels", "a channel is named twice", "name each once"
    if desk.on_slack and not settings.slack.enabled:
        yield key, "Slack is off", "set slack.bot_token (KAKEHASHI_SLACK__BOT_TOKEN)"
    if desk.on_discord:
        yield from _discord_mistakes(key, desk, settings)
    elif not desk.on_slack and desk.pool:
        yield f"{key}.channel", "the console has no channels", 'remove it, or set network = "slack"'


def _discord_mistakes(key: str, desk: DeskTable, settings: Settings) -> Iterator[Found]:
    mend = "copy it with “Copy Channel ID”: digits, such as 1290000000000000000"
    if not desk.pool:
        yield f"{key}.channel", "a desk in Discord needs a channel", mend
    for channel in desk.pool:
        if re.fullmatch(DISCORD_ID, channel) is None:
            yield f"{key}.channel", f"{channel} is no channel of Discord's", mend
    if not settings.discord.enabled:
        yield key, "Discord is off", "set discord.bot_token (KAKEHASHI_DISCORD__BOT_TOKEN)"


def _rung_mistakes(key: str, rung: RungTable, desk: DeskTable, settings: Settings) -> Iterator[Found]:
    pagers = tuple(settings.pagers)
    if rung.optional and not can_be_called(rung, desk, pagers):
        return
    if rung.call is RungKind.ON_CALL and desk.rota is None:
        yield f"{key}.call", "nobody is on call: the desk has no rota", "name one in its rota, or set optional = true"
    if rung.call is RungKind.PAGER and not pagers:
        yield f"{key}.call", "no pager is configured", "set one up under [pagers], or set optional = true"
    elif rung.call is RungKind.PAGER and rung.to and rung.to not in pagers:
        yield f"{key}.to", f"there is no pager {rung.to}", _choose(pagers)
    elif rung.call is RungKind.PAGER and not rung.to and len(pagers) > 1 and not rung.optional:
        yield f"{key}.to", "there are several pagers", _choose(pagers)
    if rung.call is RungKind.GROUP and not (desk.on_slack or desk.on_discord):
        yield f"{key}.call", "the console has no groups", "call the channel, who is on call, or a pager"
    elif rung.call is RungKind.GROUP and not is_group(rung.to, desk):
        yield f"{key}.to", f"{rung.to} is no group of its network's", GROUP_MEND


GROUP_MEND = "a user group's id in Slack (S0123ABCD), a role's in Discord (“Copy Role ID”)"


def is_group(named: str, desk: DeskTable) -> bool:
    """Slack calls by user groups, Discord by roles."""
    return re.fullmatch(DISCORD_ID if desk.on_discord else SLACK_GROUP, named) is not None


def can_be_called(rung: RungTable, desk: DeskTable, pagers: Sequence[str]) -> bool:
    """Whether there is anybody behind an optional step."""
    if rung.call is RungKind.ON_CALL:
        return desk.rota is not None
    if rung.call is RungKind.PAGER:
        return rung.to in pagers if rung.to else bool(pagers)
    return True


def _circles(tables: PolicyTables) -> Iterator[Found]:
    """Desks that overflow into one another: what is too much for one would be too much for the next."""
    flows = {name: desk.fallbacks for name in tables.desks if (desk := tables.desk(name)).overflow_after is not None}
    told: set[str] = set()
    for name in flows:
        path = _way_back(name, flows)
        if path and not told.intersection(path):
            told |= set(path)
            round_trip = " → ".join((*path, name))
            yield tables.key(name, "fallbacks"), f"they go round in a circle: {round_trip}", "end it at one desk"


def _way_back(start: str, flows: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The desks from `start` until it comes again; empty when it does not."""
    paths: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while paths:
        path = paths.pop(0)
        for following in flows.get(path[-1], ()):
            if following == start:
                return path
            if following not in seen:
                seen.add(following)
                paths.append((*path, following))
    return ()


# ------------------------------------------------------------------ topics, operators, rotas, hours


def _topic_mistakes(tables: PolicyTables, settings: Settings) -> Iterator[Found]:
    for name, topic in tables.topics.items():
        key = f"topics.{name}"
        yield from _unknown(f"{key}.under", [topic.under] if topic.under else [], tables.topics, "topic")
        if topic.under and topic.under in tables.topics and tables.topics[topic.under].under:
            yield f"{key}.under", "a part has no parts of its own", "name a topic that is not under another"
        if topic.identity_check and not settings.web.identity.enabled:
            yield f"{key}.identity_check", "the site's page for it is not known", "set web.identity.url"


def _operator_mistakes(tables: PolicyTables) -> Iterator[Found]:
    users: dict[str, str] = {}
    for name, operator in tables.operators.items():
        yield from _unknown(f"operators.{name}.desks", operator.desks, tables.desks, "desk")
        if operator.slack and users.setdefault(operator.slack, name) != name:
            yield f"operators.{name}.slack", f"it is {users[operator.slack]}'s", "give each operator their own"
        if operator.discord and users.setdefault(operator.discord, name) != name:
            yield f"operators.{name}.discord", f"it is {users[operator.discord]}'s", "give each operator their own"


def _rota_mistakes(tables: PolicyTables) -> Iterator[Found]:
    for name, rota in tables.rotas.items():
        for key, operator in rota.people:
            if operator not in tables.operators and _FROM_DIRECTORY.fullmatch(operator) is None:
                mend = _choose(tables.operators) if tables.operators else f"write [operators.{operator}]"
                yield f"rotas.{name}.{key}", f"there is no operator {operator}", mend


def _hours_mistakes(tables: PolicyTables) -> Iterator[Found]:
    if "always" in tables.hours:
        yield "hours.always", "this name means around the clock", "choose another"
    for key, written in _all_hours(tables):
        if isinstance(written, str) and written != "always":
            yield from _unknown(key, [written], tables.hours, "hours")


def _all_hours(tables: PolicyTables) -> Iterator[tuple[str, HoursTable | str]]:
    """Every place that has hours."""
    for name in tables.desks:
        desk = tables.desk(name)
        yield tables.key(name, "hours"), desk.hours
        if desk.contact is not None:
            yield tables.key(name, "contact.hours"), desk.contact.hours
    yield from ((f"topics.{name}.hours", topic.hours) for name, topic in tables.topics.items())
    yield from ((f"operators.{name}.hours", one.hours) for name, one in tables.operators.items() if one.hours)
    yield from ((f"rotas.{name}.hours", rota.hours) for name, rota in tables.rotas.items() if rota.hours)
    yield from ((f"hours.{name}", hours) for name, hours in tables.hours.items())


def never_open(tables: PolicyTables, hours: ExpandedHours, now: int) -> list[Found]:
    """Hours in which nobody will ever be there."""
    mend = 'write hours for at least one day, such as mon-fri = "09:00-18:00", or "always"'
    shut = [key for key, written in _all_hours(tables) if hours(written).opens_after(now) is None]
    return [(key, "it never opens", mend) for key in dict.fromkeys(shut)]


def _unknown(key: str, names: Iterable[str], known: Mapping[str, object], kind: str) -> Iterator[Found]:
    """`kind` is what a table holds: topic, desk, rota, hours."""
    table, verb = ("hours", "are") if kind == "hours" else (f"{kind}s", "is")
    for name in names:
        if name not in known:
            yield key, f"there {verb} no {kind} {name}", _choose(known) if known else f"write [{table}.{name}]"


def _choose(names: Iterable[str]) -> str:
    return f"choose from {', '.join(names)}"


# ------------------------------------------------------------------ doubts


def doubts(
    tables: PolicyTables, settings: Settings, rotas: Mapping[str, Rota], hours: ExpandedHours, now: int
) -> list[Finding]:
    """What works and is probably not meant."""
    return [
        *(one for name, table in tables.rotas.items() for one in _rota_doubts(name, table, rotas[name], hours, now)),
        *_unused_rotas(tables),
        *_uncalled(tables),
        *_desk_doubts(tables),
        *_ways_out(tables, settings),
        *_people_doubts(tables, rotas),
    ]


def _rota_doubts(name: str, table: RotaTable, rota: Rota, hours: ExpandedHours, now: int) -> Iterator[Finding]:
    twice = doubly_booked(table, Window(moment(now).date(), moment(now).date() + 7 * DAY))
    if twice:
        yield Finding("warn", f"rota {name}: two are on call on {twice}", "the one whose shift began earlier is called")
    needed = ALWAYS if table.hours is None else hours(table.hours)
    end = now + LOOK_AHEAD // DAY * 86_400_000
    gaps = holes(rota, needed, now, end) if rota.shifts else []
    if gaps:
        more = f", and {len(gaps) - 1} times more in four weeks" if len(gaps) > 1 else ""
        what = f"rota {name}: nobody is on call {_from_to(*gaps[0], ZoneInfo(table.timezone))}{more}"
        yield Finding("warn", what, f"fill it, or say in rotas.{name}.hours when somebody must be")
    elif not rota.shifts and not table.feed:
        yield Finding("warn", f"rota {name}: nobody is ever on call", "does its calendar have shifts to come?")


def _from_to(start: int, end: int, zone: ZoneInfo) -> str:
    begin, stop = (moment(at).astimezone(zone) for at in (start, end))
    until = f"{stop:%H:%M}" if stop.date() == begin.date() else f"{stop:%a %-d %b %H:%M}"
    return f"from {begin:%a %-d %b %H:%M} to {until} {zone.key}"


def _unused_rotas(tables: PolicyTables) -> Iterator[Finding]:
    used = {tables.desk(name).rota for name in tables.desks}
    for name in tables.rotas:
        if name not in used:
            yield Finding("warn", f"rota {name}: no desk has it", f'write rota = "{name}" at a desk')


def _uncalled(tables: PolicyTables) -> Iterator[Finding]:
    """Desks without a ladder: one doubt for all that take theirs from [every_desk]."""
    emergencies = any(topic.emergency for topic in tables.topics.values())
    without: dict[str, list[str]] = {}
    for name in tables.desks:
        desk = tables.desk(name)
        if not desk.ladder.rungs and (list(desk.promises.of_all()) or emergencies):
            own = "ladder" in tables.desks[name].model_fields_set
            without.setdefault(f"desks.{name}.ladder" if own else "every_desk.ladder", []).append(name)
    for key, names in without.items():
        desks = f"desk {names[0]}" if len(names) == 1 else f"desks {', '.join(names)}"
        what = f"{desks}: nobody is called when a promise is missed, or in an emergency"
        yield Finding("warn", what, f"write {key}")


def _ways_out(tables: PolicyTables, settings: Settings) -> Iterator[Finding]:
    """Who writes of a theft should be able to freeze the account before anybody answers."""
    emergencies = [name for name, topic in tables.topics.items() if topic.emergency]
    if emergencies and not settings.web.emergency:
        topics = f"topic {emergencies[0]} is" if len(emergencies) == 1 else f"topics {', '.join(emergencies)} are"
        what = f"{topics} an emergency, and customers are shown nothing that they can do at once"
        yield Finding("warn", what, "write [[web.emergency]]: the address of your page that freezes an account, say")


def _desk_doubts(tables: PolicyTables) -> Iterator[Finding]:
    for name in tables.desks:
        desk = tables.desk(name)
        if tables.operators and not any(not one.desks or name in one.desks for one in tables.operators.values()):
            yield Finding("warn", f"desk {name}: no operator of the policy works there", "add it to somebody's desks")
        yield from _language_doubts(name, desk, tables)


def _language_doubts(name: str, desk: DeskTable, tables: PolicyTables) -> Iterator[Finding]:
    people = [one for one in tables.operators.values() if one.languages and (not one.desks or name in one.desks)]
    anybody = any(not one.languages for one in tables.operators.values())
    for language in desk.languages:
        base = language.split("-")[0]
        if people and not anybody and not any({language, base} & {*one.languages} for one in people):
            yield Finding("warn", f"desk {name}: none of its operators speaks {language}", "add it to their languages")


def _people_doubts(tables: PolicyTables, rotas: Mapping[str, Rota]) -> Iterator[Finding]:
    for name in tables.desks:
        rota = tables.desk(name).rota
        people = {shift.operator for shift in rotas[rota].shifts} if rota else set()
        for one in sorted(people):
            operator = tables.operators.get(one)
            if operator is not None and operator.desks and name not in operator.desks:
                what = f"desk {name}: {one} is on call for it and does not work there"
                yield Finding("warn", what, f"add it to operators.{one}.desks")
