"""The policy: `[desks.*]`, `[topics]`, `[operators.*]` and `[rules]`, read into what the rules understand.

It stands in `kakehashi.toml`, or in a file of its own that `policy = "…"` names. Each of the four tables that is not
written comes from `default_policy.toml`; with `slack.channel` and no desks, one desk serves that channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from bridge.errors import SettingsError
from config.mistakes import settings_errors
from config.settings import Section, Settings
from config.sources import POLICY_KEYS, Key, one_or_all, read_toml
from config.values import Seconds
from routing.ids import DeskId, NetworkName, OperatorId, Place, Topic
from routing.policy import Assignment, Desk, OperatorProfile, Policy

CONSOLE = NetworkName("console")
SLACK = NetworkName("slack")
DEFAULT_FILE = Path(__file__).with_name("default_policy.toml")

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Titles = Annotated[dict[Language, Annotated[str, Field(min_length=1, max_length=80)]], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A policy, and what its desks and topics are called: id → language → title."""

    policy: Policy
    desk_titles: Mapping[DeskId, Mapping[str, str]]
    topic_titles: Mapping[Topic, Mapping[str, str]]


class DeskTable(Section):
    """A language's or a topic's team."""

    titles: dict[Language, str] = Field(default_factory=dict, description="its name by language; else its id")
    network: Literal["console", "slack"] | None = Field(
        default=None, description="where it works; slack when it has a channel, else the built-in console"
    )
    channel: str | None = Field(default=None, pattern=r"^[A-Z0-9]{5,}$", description="its Slack channel's id")
    languages: tuple[Language, ...] = Field(default=(), description="what it speaks; any when unset")
    topics: tuple[str, ...] = Field(default=(), description="what it knows; any when unset")
    assignment: Assignment = Field(default=Assignment.CLAIM, description="by hand, or to each in turn")
    gone_after: Seconds = Field(default=600, gt=0, description="an absent customer counts as gone after this")
    silence_after: Seconds = Field(
        default=86_400, gt=0, description="a customer who has read our reply and is silent so long is asked no more"
    )
    close_after: Seconds = Field(default=86_400, gt=0, description="a resolved session closes after this")
    offer_for: Seconds = Field(default=60, gt=0, description="how long an operator has to take an offer")

    @property
    def on_slack(self) -> bool:
        return self.network == "slack" or (self.network is None and self.channel is not None)


class OperatorTable(Section):
    """An operator that the policy knows; others are added with `kakehashi operators add`."""

    names: Titles = Field(description="public name by language: all that a customer sees")
    desks: tuple[str, ...] = Field(default=(), description="where they work; everywhere when unset")
    capacity: int = Field(default=4, ge=1, le=100, description="sessions at once")


class RulesTable(Section):
    """What holds for every desk."""

    revise_within: Seconds = Field(default=900, ge=0, description="how long a message may be edited or deleted")
    hold_at_most: Seconds = Field(default=7 * 86_400, gt=0, description="the farthest that an update may be promised")


class PolicyTables(Section):
    """All of it, as it is written."""

    desks: dict[Id, DeskTable] = Field(min_length=1, description="the teams")
    topics: dict[Id, Titles] = Field(min_length=1, description="what customers may choose, by language")
    operators: dict[Id, OperatorTable] = Field(default_factory=dict, description="people who reply")
    rules: RulesTable = Field(default_factory=RulesTable, description="what holds for every desk")


def load(settings: Settings) -> Rulebook:
    """The policy that these settings lead to. Raises SettingsError, with everything that is wrong at once."""
    file, written = _written(settings)
    defaults = read_toml(DEFAULT_FILE)
    if settings.slack.channel is not None:
        defaults["desks"] = {"support": {"channel": settings.slack.channel}}
    try:
        tables = PolicyTables.model_validate({**defaults, **written})
    except ValidationError as error:
        raise settings_errors(error, PolicyTables, lambda path: _where(file, path)) from None
    _check(tables, settings, file)
    return _rulebook(tables)


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


def _where(file: Path | None, path: Key) -> str:
    return f"{file or DEFAULT_FILE.name}: {'.'.join(path)}"


def _check(tables: PolicyTables, settings: Settings, file: Path | None) -> None:
    """What one table alone cannot know: whether names in one exist in another, and whether the networks are on."""
    found = [*_desk_errors(tables, settings), *_operator_errors(tables)]
    if settings.slack.enabled and not any(desk.on_slack for desk in tables.desks.values()):
        found.append(("slack.channel", "Slack is on, but no desk works there", "set it, or give a desk its channel"))
    if found:
        errors = [SettingsError(f"{key}: {what}", where=_where(file, (key,)), mend=mend) for key, what, mend in found]
        raise one_or_all(errors)


Found = tuple[str, str, str]


def _desk_errors(tables: PolicyTables, settings: Settings) -> list[Found]:
    found: list[Found] = []
    for name, desk in tables.desks.items():
        key = f"desks.{name}"
        if desk.on_slack and desk.channel is None:
            found.append((f"{key}.channel", "a desk in Slack needs a channel", "set its id, such as C0123ABCD"))
        if desk.on_slack and not settings.slack.enabled:
            found.append((key, "Slack is off", "set slack.bot_token (KAKEHASHI_SLACK__BOT_TOKEN)"))
        if not desk.on_slack and desk.channel is not None:
            found.append((f"{key}.channel", "the console has no channels", 'remove it, or set network = "slack"'))
        unknown = [topic for topic in desk.topics if topic not in tables.topics]
        found += [(f"{key}.topics", f"there is no topic {topic}", _choose(tables.topics)) for topic in unknown]
    return found


def _operator_errors(tables: PolicyTables) -> list[Found]:
    return [
        (f"operators.{name}.desks", f"there is no desk {desk}", _choose(tables.desks))
        for name, operator in tables.operators.items()
        for desk in operator.desks
        if desk not in tables.desks
    ]


def _choose(names: Mapping[str, object]) -> str:
    return f"choose from {', '.join(names)}"


def _rulebook(tables: PolicyTables) -> Rulebook:
    policy = Policy(
        desks={DeskId(name): _desk(name, desk) for name, desk in tables.desks.items()},
        topics=tuple(Topic(name) for name in tables.topics),
        revise_within=_ms(tables.rules.revise_within),
        hold_at_most=_ms(tables.rules.hold_at_most),
        operators={OperatorId(name): _operator(name, one) for name, one in tables.operators.items()},
    )
    return Rulebook(
        policy,
        desk_titles={DeskId(name): desk.titles or {"en": name} for name, desk in tables.desks.items()},
        topic_titles={Topic(name): titles for name, titles in tables.topics.items()},
    )


def _desk(name: str, desk: DeskTable) -> Desk:
    return Desk(
        id=DeskId(name),
        network=SLACK if desk.on_slack else CONSOLE,
        place=Place(desk.channel or name),
        languages=desk.languages,
        topics=tuple(Topic(topic) for topic in desk.topics),
        assignment=desk.assignment,
        gone_after=_ms(desk.gone_after),
        silence_after=_ms(desk.silence_after),
        close_after=_ms(desk.close_after),
        offer_for=_ms(desk.offer_for),
    )


def _operator(name: str, operator: OperatorTable) -> OperatorProfile:
    desks = tuple(DeskId(desk) for desk in operator.desks)
    return OperatorProfile(OperatorId(name), operator.names, desks, operator.capacity)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
