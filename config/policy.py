"""The policy: desks, topics, operators, rotas, hours and rules, read into what the rules understand.

It stands in `kakehashi.toml`, or in a file of its own that `policy = "…"` names. Each of its tables that is not
written comes from `default_policy.toml`, and so does each key of [every_desk]; with `slack.channel` or
`discord.channel` and no desks, one desk serves that channel. How it is written stands in `config/tables.py`;
docs/routing.md is the guide.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from bridge.doctor import Finding
from bridge.errors import SettingsError
from bridge.templates import Template
from config import calendars, canned, consistency, feeds, rotas
from config.calendars import HoursTable, Window
from config.feeds import FeedError
from config.mistakes import settings_errors
from config.settings import Settings
from config.sources import POLICY_KEYS, Key, one_or_all, read_toml
from config.tables import ContactTable, DeskTable, OperatorTable, PolicyTables, TopicTable
from routing.hours import ALWAYS, Hours
from routing.ids import DeskId, NetworkName, OperatorId, Place, Topic
from routing.policy import (
    Alert,
    AlertBy,
    Contact,
    Desk,
    HeadStarts,
    Ladder,
    OperatorProfile,
    Policy,
    Promise,
    Rota,
    Rung,
    RungKind,
    Shift,
    TopicRules,
)

CONSOLE = NetworkName("console")
SLACK = NetworkName("slack")
DISCORD = NetworkName("discord")
DEFAULT_FILE = Path(__file__).with_name("default_policy.toml")
EVERY_DESK = "every_desk"
CALENDARS = "calendars"
"""Where in the data folder fetched calendars are kept."""


@dataclass(frozen=True, slots=True, repr=False)
class Written:
    """The tables as they were read, to be worked out anew when the days have moved on. `file` has them, or none has."""

    tables: PolicyTables
    settings: Settings
    file: Path | None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A policy, and what else was written beside it.

    Titles are id → language → title. `zones` is the time zone that a desk's hours are written in, for people to read;
    `slack_users` the Slack user that an operator is, `discord_users` the Discord user. `doubts` work, and should be
    known.
    """

    written: Written = field(compare=False)
    policy: Policy
    desk_titles: Mapping[DeskId, Mapping[str, str]]
    topic_titles: Mapping[Topic, Mapping[str, str]]
    topic_under: Mapping[Topic, Topic] = field(default_factory=dict)
    zones: Mapping[DeskId, str] = field(default_factory=dict)
    slack_users: Mapping[OperatorId, str] = field(default_factory=dict)
    discord_users: Mapping[OperatorId, str] = field(default_factory=dict)
    templates: Mapping[DeskId, tuple[Template, ...]] = field(default_factory=dict)
    tag_titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    doubts: tuple[Finding, ...] = ()


def load(settings: Settings, now: int | None = None) -> Rulebook:
    """The policy that these settings lead to, its calendars worked out around `now` (ms since 1970, UTC).

    Reads files only: what is on the web comes from what was fetched last. Raises SettingsError, with everything that
    is wrong at once.
    """
    return expand(read(settings), now)


def read(settings: Settings) -> Written:
    """The policy as it is written now. Raises SettingsError for what can be seen without a calendar."""
    file, written = _written(settings)
    defaults = read_toml(DEFAULT_FILE)
    if settings.slack.channel is not None:
        defaults["desks"] = {"support": {"channel": settings.slack.channel}}
    elif settings.discord.channel is not None:
        defaults["desks"] = {"support": {"network": DISCORD, "channel": settings.discord.channel}}
    beside = (file.parent if file else Path()) / canned.FOLDER
    values = canned.worked_in(beside, defaults, written, _merged)
    try:
        tables = PolicyTables.model_validate(values)
    except ValidationError as error:
        raise settings_errors(error, PolicyTables, partial(_where_written, beside, file)) from None
    return Written(tables, settings, file)


def expand(written: Written, now: int | None = None) -> Rulebook:
    """What was written, its calendars worked out around `now`. Raises SettingsError for what does not fit together."""
    now = round(time.time() * 1000) if now is None else now
    file = written.file
    draft = _Draft(written, now)
    found = [*consistency.mistakes(written.tables, written.settings), *draft.mistakes()]
    if found:
        errors = [SettingsError(f"{key}: {what}", where=_where(file, (key,)), mend=mend) for key, what, mend in found]
        raise one_or_all(errors)
    return draft.rulebook()


def renew(written: Written) -> dict[str, FeedError | None]:
    """Fetch the calendars that are kept elsewhere: those that have changed, and those that cannot be had (why).

    Blocks. What cannot be had stays as it was fetched last.
    """
    found: dict[str, FeedError | None] = {}
    for name, rota in written.tables.rotas.items():
        if rota.feed is None:
            continue
        try:
            if feeds.renew(written.settings.data_dir / CALENDARS, rota.feed):
                found[name] = None
        except FeedError as error:
            found[name] = error
    return found


def _merged(defaults: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """Table by table; of what holds for every desk, key by key: who writes their hours keeps promises and ladder."""
    ours, theirs = (one.get(EVERY_DESK, {}) for one in (defaults, written))
    merged = {**defaults, **written}
    return {**merged, EVERY_DESK: {**ours, **theirs}} if isinstance(theirs, dict) else merged


def _written(settings: Settings) -> tuple[Path | None, dict[str, Any]]:
    """What is written of the policy, and where."""
    main = {} if settings.config is None else _of_policy(read_toml(settings.config))
    if settings.policy is None:
        return settings.config, main
    if main:
        raise SettingsError(
            f"the policy is written in two places ({', '.join(main)})",
            where=f"{settings.config} and {settings.policy}",
            mend="move it all into one of the two",
        )
    beside = settings.config.parent if settings.config else Path()
    path = beside / settings.policy
    if not path.is_file():
        raise SettingsError(f"there is no file {path}", where="policy", mend="give the path of your policy file")
    return path, read_toml(path)


def _of_policy(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in POLICY_KEYS}


def _where_written(folder: Path, file: Path | None, path: Key) -> str:
    return canned.where(folder, path) or _where(file, path)


def _where(file: Path | None, path: Key) -> str:
    return f"{file or DEFAULT_FILE.name}: {'.'.join(path)}"


# ------------------------------------------------------------------ what becomes of the tables


class _Draft:
    """The tables on their way to a rulebook: calendars are worked out once, and what they reveal is checked."""

    def __init__(self, written: Written, now: int) -> None:
        tables = written.tables
        self._written = written
        self._tables = tables
        self._settings = written.settings
        self._beside = (written.file or DEFAULT_FILE).parent
        self._now = now
        self._window = Window.around(now)
        self._named = {name: calendars.expand(hours, self._window) for name, hours in tables.hours.items()}
        self._feed_mistakes: list[consistency.Found] = []
        self._doubts: list[Finding] = []
        self._rotas = {name: self._rota(name) for name in tables.rotas}

    def mistakes(self) -> list[consistency.Found]:
        """What only the calendar shows."""
        return [*self._feed_mistakes, *consistency.never_open(self._tables, self._hours, self._now)]

    def rulebook(self) -> Rulebook:
        tables = self._tables
        desks = {name: tables.desk(name) for name in tables.desks}
        topics = tables.topics
        self._doubts += canned.doubts(tables)
        self._doubts += consistency.doubts(tables, self._settings, self._rotas, self._hours, self._now)
        return Rulebook(
            self._written,
            self._policy(desks),
            desk_titles={DeskId(name): desk.titles or {"en": name} for name, desk in desks.items()},
            topic_titles={Topic(name): topic.titles for name, topic in topics.items()},
            topic_under={Topic(name): Topic(topic.under) for name, topic in topics.items() if topic.under},
            zones={DeskId(name): zone for name, desk in desks.items() if (zone := self._zone(desk))},
            slack_users={OperatorId(name): one.slack for name, one in tables.operators.items() if one.slack},
            discord_users={OperatorId(name): one.discord for name, one in tables.operators.items() if one.discord},
            templates={DeskId(name): canned.of_desk(tables, name) for name in tables.desks},
            tag_titles=tables.tags,
            doubts=tuple(self._doubts),
        )

    def _policy(self, desks: Mapping[str, DeskTable]) -> Policy:
        tables, rules = self._tables, self._tables.rules
        starts = HeadStarts(_ms(rules.head_starts.verified), _ms(rules.head_starts.returning))
        return Policy(
            desks={DeskId(name): self._desk(name, desk) for name, desk in desks.items()},
            topics=tuple(Topic(name) for name in tables.topics),
            topic_rules={Topic(name): self._topic(name, topic) for name, topic in tables.topics.items()},
            head_starts=starts,
            rotas=self._rotas,
            translates=self._settings.translation.enabled,
            revise_within=_ms(rules.revise_within),
            hold_at_most=_ms(rules.hold_at_most),
            check_for=_ms(rules.check_for),
            check_good_for=_ms(rules.check_good_for),
            operators={OperatorId(name): self._operator(name, one) for name, one in tables.operators.items()},
        )

    # -------------------------------------------------------------- desks

    def _desk(self, name: str, desk: DeskTable) -> Desk:
        topics = dict.fromkeys(part for topic in desk.topics for part in self._tables.below(topic))
        return Desk(
            id=DeskId(name),
            network=SLACK if desk.on_slack else DISCORD if desk.on_discord else CONSOLE,
            place=Place((*desk.pool, name)[0]),
            further=tuple(Place(one) for one in desk.pool[1:]),
            languages=desk.languages,
            topics=tuple(Topic(topic) for topic in topics),
            hours=self._hours(desk.hours),
            assignment=desk.assignment,
            last_operator_first=desk.last_operator_first,
            offer_for=_ms(desk.offer_for),
            promises=_promises(desk),
            ladder=Ladder(tuple(self._rungs(desk)), _ms(desk.ladder.answer_within)),
            rota=desk.rota or "",
            fallbacks=tuple(DeskId(one) for one in desk.fallbacks),
            overflow_after=_ms_or_none(desk.overflow_after),
            contact=self._contact(desk.contact),
            contact_after=_ms_or_none(desk.contact_after),
            alert=_chosen_alert(desk.alert),
            remind_after=_ms(desk.remind_after),
            unreached_after=_ms(desk.unreached_after),
            attachments=desk.attachments,
            estimate_from=desk.estimate_from,
            gone_after=_ms(desk.gone_after),
            silence_after=_ms(desk.silence_after),
            close_after=_ms(desk.close_after),
            told_reactions=desk.told_reactions,
            plain_words=desk.plain_words,
            personas=desk.personas,
            undo=_ms(desk.undo),
        )

    def _rungs(self, desk: DeskTable) -> list[Rung]:
        pagers = tuple(self._settings.pagers)
        rungs: list[Rung] = []
        for rung in desk.ladder.rungs:
            if rung.optional and not consistency.can_be_called(rung, desk, pagers):
                continue
            to = rung.to or (pagers[0] if rung.call is RungKind.PAGER else "")
            rungs.append(Rung(rung.call, to, _ms(rung.after), _ms(rung.every), rung.times))
        return rungs

    def _contact(self, contact: ContactTable | None) -> Contact:
        """The desk's own; else the site's, whose hours are words for people."""
        if contact is not None:
            return Contact(contact.mail, contact.phone, self._hours(contact.hours))
        site = self._settings.web.contact
        return Contact(site.mail or "", site.phone or "")

    def _zone(self, desk: DeskTable) -> str | None:
        """The zone that people of this desk think in."""
        if isinstance(desk.hours, HoursTable):
            return desk.hours.timezone
        if desk.hours in self._tables.hours:
            return self._tables.hours[desk.hours].timezone
        return self._tables.rotas[desk.rota].timezone if desk.rota else None

    # -------------------------------------------------------------- topics and operators

    def _topic(self, name: str, topic: TopicTable) -> TopicRules:
        return TopicRules(
            Topic(name),
            emergency=topic.emergency,
            identity_check=topic.identity_check,
            head_start=_ms(topic.head_start),
            priority=topic.priority,
            hours=self._hours(topic.hours),
            attachments=self._tables.attachments(name),
        )

    def _operator(self, name: str, operator: OperatorTable) -> OperatorProfile:
        return OperatorProfile(
            OperatorId(name),
            operator.names,
            tuple(DeskId(desk) for desk in operator.desks),
            operator.capacity,
            operator.languages,
            None if operator.hours is None else self._hours(operator.hours),
            operator.lead,
        )

    # -------------------------------------------------------------- calendars

    def _hours(self, written: HoursTable | str) -> Hours:
        """A name that does not exist is a mistake that is told elsewhere."""
        if isinstance(written, str):
            return self._named.get(written, ALWAYS)
        return calendars.expand(written, self._window)

    def _rota(self, name: str) -> Rota:
        table = self._tables.rotas[name]
        return rotas.expand(table, self._window, self._booked(name) if table.calendar else ())

    def _booked(self, name: str) -> Sequence[Shift]:
        table = self._tables.rotas[name]
        zone = ZoneInfo(table.timezone)
        try:
            content = self._calendar(table.feed, table.calendar or "")
            if content is None:
                mend = "it is fetched when the service starts; is its address right?"
                self._doubts.append(Finding("warn", f"rota {name}: its calendar has not been fetched yet", mend))
                return ()
            booked = feeds.booked(content, self._window, zone, _names(self._tables.operators))
        except FeedError as error:
            self._feed_mistakes.append((f"rotas.{name}.calendar", error.what, error.mend))
            return ()
        if booked.unknown:
            what = f"rota {name}: {booked.unknown} entries of its calendar name nobody whom the policy knows"
            mend = "title them with an operator's id or public name"
            self._doubts.append(Finding("warn", what, mend))
        return booked.shifts

    def _calendar(self, feed: str | None, path: str) -> bytes | None:
        if feed is not None:
            return feeds.kept(self._settings.data_dir / CALENDARS, feed)
        return feeds.read(self._beside / path)


def _names(operators: Mapping[str, OperatorTable]) -> dict[str, OperatorId | None]:
    """What each may be called, in small letters; None where two share a name."""
    known: dict[str, OperatorId | None] = {}
    for name, operator in operators.items():
        for called in {name, *(one.casefold() for one in operator.names.values())}:
            known[called] = OperatorId(name) if called not in known else None
    return known


def _chosen_alert(written: str) -> Alert:
    """A user group stands there by its id."""
    known = written in set(AlertBy)
    return Alert(AlertBy(written)) if known else Alert(AlertBy.GROUP, written)


def _promises(desk: DeskTable) -> tuple[Promise, ...]:
    return tuple(
        Promise(kind, _ms(one.within), _ms(one.warning), one.clock, priority, one.held_counts)
        for _, priority, kind, one in desk.promises.of_all()
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _ms_or_none(seconds: float | None) -> int | None:
    return None if seconds is None else _ms(seconds)
