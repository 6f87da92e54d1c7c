"""The policy as it is written: its tables in TOML, with bounds and what each key is for.

`docs/settings.md` is printed from here. What the tables cannot know of one another is checked in
`config/consistency.py`; what becomes of them stands in `config/policy.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bridge.templates import CODE
from config.calendars import HoursRef, HoursTable
from config.rotas import RotaTable
from config.settings import Section
from config.values import DISCORD_ID, OR_MAIL, SLACK_CHANNEL, SLACK_USER, Id, Seconds, wrong
from routing.policy import AlertBy, Assignment, Attachments, Clock, PlainWords, Priority, Promised, RungKind

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LEVELS = {"basic": 1, "fluent": 2, "native": 3}
_COMMON_SLIPS = {"jp": "ja", "cn": "zh", "tw": "zh-Hant", "hk": "zh-Hant", "kr": "ko", "vn": "vi", "gb": "en"}
WARN_BEFORE = 0.2
"""Of a promise: when the warning before it comes, where none is written."""


@cache
def _known_languages() -> frozenset[str]:
    from babel import Locale  # 0.2 s that importing the settings can do without

    return frozenset(Locale("en").languages)


def _language(tag: str) -> str:
    """A language tag whose language exists: `jp` is a country."""
    base = tag.split("-")[0]
    if _LANGUAGE.fullmatch(tag) is None or base not in _known_languages():
        meant = _COMMON_SLIPS.get(base.lower(), "ja, en, zh-Hans or zh-Hant")
        raise wrong(f"there is no language {tag}", f"write {meant}")
    return tag


def _level(value: Any) -> Any:
    """`"native"`, `"fluent"`, `"basic"`, or 3, 2, 1."""
    if isinstance(value, str) and value not in _LEVELS:
        raise wrong("this is no level", "write native, fluent or basic")
    return _LEVELS.get(value, value) if isinstance(value, str) else value


def _levels(value: Any) -> Any:
    """A list of languages is of those spoken natively."""
    return dict.fromkeys(value, 3) if isinstance(value, list | tuple) else value


def _promise(value: Any) -> Any:
    return value if isinstance(value, dict) else {"within": value}


Language = Annotated[str, AfterValidator(_language)]
Title = Annotated[str, Field(min_length=1, max_length=80)]
Titles = Annotated[dict[Language, Title], Field(min_length=1)]
Level = Annotated[int, BeforeValidator(_level), Field(ge=1, le=3)]
Levels = Annotated[dict[Language, Level], BeforeValidator(_levels)]


# ------------------------------------------------------------------ promises and ladders


class PromiseTable(Section):
    """One promise. Written as a time alone, it is business time with a warning when four fifths of it are over."""

    within: Seconds = Field(gt=0, description="what is promised")
    warn_before: Seconds | None = Field(
        default=None, ge=0, description="how long before the miss it is warned of; a fifth of it when unset"
    )
    clock: Clock = Field(default=Clock.BUSINESS, description="business time counts while the desk is open, wall always")
    held_counts: bool = Field(default=False, description="time on hold counts against a resolution")

    @property
    def warning(self) -> float:
        """Seconds before the miss."""
        return self.within * WARN_BEFORE if self.warn_before is None else self.warn_before

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.warning >= self.within:
            raise wrong(
                "the warning would come before the promise begins", "make it shorter than within", "warn_before"
            )
        return self


AnyPromise = Annotated[PromiseTable, BeforeValidator(_promise)]


class PromiseSet(Section):
    """What is promised, each a time such as "5m" or a table."""

    first_response: AnyPromise | None = Field(default=None, description="until the first reply")
    next_response: AnyPromise | None = Field(default=None, description="until each reply after it")
    resolution: AnyPromise | None = Field(default=None, description="until it is solved, the customer's turns left out")

    def each(self) -> Iterator[tuple[Promised, PromiseTable]]:
        """What is promised."""
        for kind in Promised:
            promise: PromiseTable | None = getattr(self, kind)
            if promise is not None:
                yield kind, promise


class PromisesTable(PromiseSet):
    """A desk's promises: to everybody, and under a priority's name those that hold for it instead."""

    normal: PromiseSet = Field(default_factory=PromiseSet, description="for topics of normal priority")
    high: PromiseSet = Field(default_factory=PromiseSet, description="for topics of high priority")
    urgent: PromiseSet = Field(default_factory=PromiseSet, description="for emergencies")

    def of_all(self) -> Iterator[tuple[str, Priority | None, Promised, PromiseTable]]:
        """(key within the table, priority, kind, promise)."""
        for kind, promise in self.each():
            yield kind, None, kind, promise
        for priority in Priority:
            chosen: PromiseSet = getattr(self, priority)
            for kind, promise in chosen.each():
                yield f"{priority}.{kind}", priority, kind, promise


class RungTable(Section):
    """One step of a ladder."""

    call: RungKind = Field(description="the thread, the channel, who is on_call, a group, or a pager")
    to: str = Field(default="", description="the channel's, user group's or role's id, or the pager's name")
    after: Seconds = Field(default=0, ge=0, description="how long after the step before it, or after the start")
    every: Seconds = Field(default=300, ge=30, description="how often it is repeated")
    times: int = Field(default=1, ge=1, le=100, description="how often in all; the last step never ends")
    optional: bool = Field(
        default=False,
        description="leave it out where the desk has no rota, or there is no such pager; of several it calls the first",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.call is RungKind.GROUP and not self.to:
            raise wrong("which group is to be called?", 'set it to the user group\'s id, such as "S0123ABCD"', "to")
        if self.call in (RungKind.THREAD, RungKind.ON_CALL) and self.to:
            raise wrong(f"{self.call} calls nobody by name", "remove it", "to")
        return self


class LadderTable(Section):
    """Whom to call when an answer is late, step by step."""

    rungs: tuple[RungTable, ...] = Field(default=(), description="the steps; the last one is repeated until it ends")
    answer_within: Seconds = Field(
        default=600, gt=0, description="what an acknowledgement promises: its giver is reminded, then it goes on"
    )


def _alert(value: str) -> str:
    if value not in _ALERTS and re.fullmatch(_GROUP, value) is None:
        raise wrong("this alerts nobody that is known", f"write {', '.join(_ALERTS)}, or a user group's or role's id")
    return value


_ALERTS = tuple(one.value for one in AlertBy if one is not AlertBy.GROUP)
SLACK_GROUP = r"S[A-Z0-9]{6,}"
_GROUP = rf"{SLACK_GROUP}|{DISCORD_ID}"

AnyAlert = Annotated[str, AfterValidator(_alert)]


class ContactTable(Section):
    """Other ways to reach the desk, offered to who has waited long."""

    mail: str = Field(default="", pattern=OR_MAIL, description="mail address")
    phone: str = Field(default="", max_length=40, description="telephone number, as people write it")
    hours: HoursRef = Field(default="always", description="when somebody answers the telephone")


# ------------------------------------------------------------------ templates


def _words_apart(value: Any) -> Any:
    """`{ en = "…", ja = "…", topics = […] }`: languages are its words, everything else is a key."""
    if not isinstance(value, dict):
        return value
    words = {key: text for key, text in value.items() if key not in TemplateTable.model_fields}
    rest = {key: text for key, text in value.items() if key not in words}
    return {"words": words | rest.pop("words", {}), **rest} if words else value


class TemplateTable(Section):
    """A reply that is ready. Its words in each language stand under the language: `en = "Dear {customer}, …"`."""

    words: Annotated[dict[Language, Annotated[str, Field(min_length=1, max_length=3000)]], Field(min_length=1)] = Field(
        description="what it says by language, with gaps in braces; may be written without this key"
    )
    title: str = Field(default="", max_length=60, description="what operators call it; its first words when unset")
    topics: tuple[str, ...] = Field(default=(), description="the topics that it is offered first for")


Code = Annotated[str, Field(pattern=f"^{CODE}$")]
Templates = dict[Code, Annotated[TemplateTable, BeforeValidator(_words_apart)]]


# ------------------------------------------------------------------ desks


class EveryDesk(Section):
    """What holds for each desk that does not say otherwise."""

    hours: HoursRef = Field(
        default="always", description="when somebody is there: a table, or the name of one in [hours]"
    )
    assignment: Assignment = Field(
        default=Assignment.CLAIM, description="by hand, to each in turn, or to whoever has most room"
    )
    last_operator_first: bool = Field(default=True, description="who returns is offered to whom they know")
    offer_for: Seconds = Field(default=60, gt=0, description="how long an operator has to take an offer")
    promises: PromisesTable = Field(default_factory=PromisesTable, description="what is promised, and how soon")
    ladder: LadderTable = Field(default_factory=LadderTable, description="who is called when a promise is missed")
    rota: str | None = Field(default=None, description="who is on call: the name of a table in [rotas]")
    fallbacks: tuple[str, ...] = Field(default=(), description="desks that take over, in this order")
    overflow_after: Seconds | None = Field(
        default=None, gt=0, description="who has waited so long goes to the first fallback that is open"
    )
    contact: ContactTable | None = Field(
        default=None, description="its mail and telephone; those of web.contact when unset"
    )
    contact_after: Seconds | None = Field(default=None, gt=0, description="who has waited so long is told of them")
    alert: AnyAlert = Field(
        default="available",
        description="how it hears of a customer who waits: the available by name, who is here, all of the channel,"
        " a user group's or role's id, or none",
    )
    remind_after: Seconds = Field(
        default=600, ge=0, description="a customer's words after so much quiet mention the assignee again; 0: never"
    )
    unreached_after: Seconds = Field(
        default=30, ge=0, description="a reply to a customer who left is said not to be delivered after this"
    )
    attachments: Attachments | None = Field(
        default=None, description="shown or held: held ones stay here, and its network is told type and size only"
    )
    estimate_from: int = Field(
        default=5, ge=1, le=1000, description='sessions of the last hour below which "we cannot tell" how long it takes'
    )
    gone_after: Seconds = Field(default=600, gt=0, description="an absent customer counts as gone after this")
    silence_after: Seconds = Field(
        default=86_400, gt=0, description="a customer who has read our reply and is silent so long is asked no more"
    )
    close_after: Seconds = Field(default=86_400, gt=0, description="a resolved session closes after this")
    templates: Templates = Field(
        default_factory=dict, description="replies that are ready, by the code that they are typed with"
    )
    told_reactions: tuple[Annotated[str, Field(min_length=1, max_length=16)], ...] = Field(
        default=("👀",), description='the assignee\'s reactions that tell a customer "we are looking into it"'
    )
    plain_words: PlainWords = Field(
        default=PlainWords.REPLY,
        description="what plain words in a thread are: of who answers, a reply; or always a note, to be sent expressly",
    )
    personas: bool = Field(
        default=False,
        description="on Discord: customers' posts under their own names, by a webhook. It needs “Manage Webhooks”, and "
        "its posts have no mark by which Discord knows them again. Slack asks for a scope instead",
    )
    undo: Seconds = Field(
        default=0, ge=0, le=60, description="a reply waits so long, and can be taken back; 0: it does not"
    )


class DeskTable(EveryDesk):
    """A language's or a topic's team. Every key of [every_desk] may stand here too, and then holds instead."""

    titles: dict[Language, Title] = Field(default_factory=dict, description="its name by language; else its id")
    network: Literal["console", "discord", "slack"] | None = Field(
        default=None, description="where it works; slack when it has a channel, else the built-in console"
    )
    channel: str | None = Field(
        default=None, pattern=SLACK_CHANNEL, description="its channel's id, in Slack or Discord"
    )
    channels: tuple[Annotated[str, Field(pattern=SLACK_CHANNEL)], ...] = Field(
        default=(), description="several, in its stead: new sessions go to the emptiest"
    )
    languages: tuple[Language, ...] = Field(default=(), description="what it speaks; any when unset")
    topics: tuple[str, ...] = Field(default=(), description="what it knows, with all below it; any when unset")

    @property
    def on_slack(self) -> bool:
        return self.network == "slack" or (self.network is None and bool(self.pool))

    @property
    def on_discord(self) -> bool:
        return self.network == "discord"

    @property
    def pool(self) -> tuple[str, ...]:
        """Its channels, however they are written."""
        return self.channels or (() if self.channel is None else (self.channel,))


# ------------------------------------------------------------------ topics, operators, rules


def _titles_apart(value: Any) -> Any:
    """`{ ja = "…", en = "…", emergency = true }`: languages are titles, everything else is a key."""
    if not isinstance(value, dict):
        return value
    titles = {
        key: text for key, text in value.items() if key not in TopicTable.model_fields and _LANGUAGE.fullmatch(key)
    }
    if not titles:
        return value
    rest = {key: text for key, text in value.items() if key not in titles}
    return {"titles": titles | rest.pop("titles", {}), **rest}


class TopicTable(Section):
    """What customers may choose. Its title in each language stands under the language: `en = "Trading"`."""

    titles: Titles = Field(description="its name by language; may be written without this key")
    under: str | None = Field(default=None, description="the topic that it is a part of")
    emergency: bool = Field(default=False, description="skips the queue and starts the ladder at once; urgent")
    identity_check: bool = Field(default=False, description="customers prove who they are before it is solved")
    priority: Literal[Priority.NORMAL, Priority.HIGH] = Field(
        default=Priority.NORMAL, description="which promises hold"
    )
    head_start: Seconds = Field(default=0, ge=0, description="counts in the queue as if it had waited so much longer")
    hours: HoursRef = Field(default="always", description="when it is looked after; shown before it is chosen")
    attachments: Attachments | None = Field(
        default=None,
        description="shown or held, as for a desk: one word for held is enough. Unset: as what it is under, and where "
        "nothing is said, held with an identity check",
    )


AnyTopic = Annotated[TopicTable, BeforeValidator(_titles_apart)]


class OperatorTable(Section):
    """An operator that the policy knows, under an id of your choice; others come with `kakehashi operators add`."""

    names: Titles = Field(description="public name by language: all that a customer sees")
    slack: str | None = Field(default=None, pattern=SLACK_USER, description="their Slack user id")
    discord: str | None = Field(default=None, pattern=DISCORD_ID, description="their Discord user id")
    desks: tuple[str, ...] = Field(default=(), description="where they work; everywhere when unset")
    capacity: int = Field(default=4, ge=1, le=100, description="sessions at once")
    languages: Levels = Field(
        default_factory=dict, description="how well they speak what: native, fluent or basic; any, well, when unset"
    )
    hours: HoursRef | None = Field(
        default=None, description="their schedule; when unset they say themselves that they are on"
    )
    lead: bool = Field(default=False, description="sees the team, and may move what others hold")


class HeadStartsTable(Section):
    """Who comes sooner: counted in the queue as if they had waited so much longer."""

    verified: Seconds = Field(default=120, ge=0, description="who is logged in")
    returning: Seconds = Field(default=60, ge=0, description="who has been here before")


class RulesTable(Section):
    """What holds for all."""

    revise_within: Seconds = Field(default=900, ge=0, description="how long a message may be edited or deleted")
    hold_at_most: Seconds = Field(default=7 * 86_400, gt=0, description="the farthest that an update may be promised")
    check_for: Seconds = Field(default=900, gt=0, description="how long a customer has for the identity check")
    check_good_for: Seconds = Field(default=1800, gt=0, description="how long a passed one holds")
    head_starts: HeadStartsTable = Field(default_factory=HeadStartsTable, description="who comes sooner in the queue")


class PolicyTables(Section):
    """All of it, as it is written."""

    desks: dict[Id, DeskTable] = Field(min_length=1, description="the teams")
    every_desk: EveryDesk = Field(
        default_factory=EveryDesk, description="what holds for each desk that says nothing else"
    )
    topics: dict[Id, AnyTopic] = Field(min_length=1, description="what customers may choose, by language")
    operators: dict[Id, OperatorTable] = Field(default_factory=dict, description="people who reply")
    rotas: dict[Id, RotaTable] = Field(default_factory=dict, description="who is on call")
    hours: dict[Id, HoursTable] = Field(default_factory=dict, description="opening hours, to be named elsewhere")
    rules: RulesTable = Field(default_factory=RulesTable, description="what holds for all")
    tags: dict[Id, Titles] = Field(default_factory=dict, description="what a resolved session may have been about")

    def desk(self, name: str) -> DeskTable:
        """A desk with what holds for every desk filled in."""
        desk = self.desks[name]
        missing = self.every_desk.model_fields_set - desk.model_fields_set
        return desk.model_copy(update={field: getattr(self.every_desk, field) for field in missing})

    def key(self, name: str, field: str) -> str:
        """Where a desk's field was written: at the desk, or for every desk."""
        own = field.split(".")[0] in self.desks[name].model_fields_set
        return (
            f"desks.{name}.{field}"
            if own or field.split(".")[0] not in self.every_desk.model_fields_set
            else f"every_desk.{field}"
        )

    def attachments(self, topic: str) -> Attachments | None:
        """What the topic says of them, else what it is under says."""
        seen: set[str] = set()
        while (table := self.topics.get(topic)) is not None and topic not in seen:
            if table.attachments is not None:
                return table.attachments
            seen.add(topic)
            topic = table.under or ""
        return None

    def below(self, topic: str) -> Iterator[str]:
        """The topic itself and whatever is a part of it."""
        yield topic
        for name, table in self.topics.items():
            if table.under == topic and name != topic:
                yield from self.below(name)


POLICY_TABLES: Mapping[str, str] = {name: str(field.description) for name, field in PolicyTables.model_fields.items()}
