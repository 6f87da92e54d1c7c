"""The guide to the policy says what the policy does: examples load, its queue and its route are the real ones."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.routes import Atlas, Question, explain, lines, parse_time
from config import policy, settings
from config.policy import Written
from config.settings import Settings
from config.tables import PolicyTables
from routing.ids import SessionId, Topic
from routing.policy import MINUTE, HeadStarts, Policy, TopicRules
from routing.queue import Waiting, order, rank
from tests.unit.docs.pages import blocks_of, rows_of

GUIDE = "docs/routing.md"

AROUND: dict[str, Any] = {
    "desks": {name: {} for name in ("en", "ja", "zh")},
    "topics": {name: {"en": name} for name in ("account", "security", "transfers")},
    "operators": {name: {"names": {"en": name}} for name in ("aiko", "kenji", "mei")},
    "hours": {"office": {"timezone": "Asia/Tokyo", "mon-fri": "09:00-18:00"}},
    "rotas": {"night": {"timezone": "Asia/Tokyo", "shifts": [{"operator": "aiko"}]}},
    "every_desk": {"rota": "night"},
}
"""What an example speaks of without showing it."""

SETTINGS: dict[str, Any] = {
    "slack": {"bot_token": "xoxb-1", "app_token": "xapp-1"},
    "pagers": {"ops": {"kind": "pagerduty", "routing_key": "k"}},
    "web": {
        "identity": {"url": "https://www.example.com/check", "keys": [{"kid": "1", "secret": "s" * 32}]},
        "contact": {"mail": "support@example.com"},
    },
}


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Table by table, and each of [desks] or [topics] as the example has it."""
    tables = {name: {**below.get(name, {}), **above.get(name, {})} for name in {*below, *above}}
    return {name: table for name, table in tables.items() if name in PolicyTables.model_fields}


@pytest.mark.parametrize("block", [block for block in blocks_of(GUIDE, "toml") if not block.startswith("[pagers")])
def test_every_example_is_a_policy_that_loads(block: str) -> None:
    written = merged(AROUND, tomllib.loads(block))
    written["desks"] = {"support": {"channel": "C0SUPPORT"}, **written["desks"]}
    if "group" in block:  # groups are Slack's, so the desks of that example work there
        written["desks"] = {name: {"channel": "C0SUPPORT"} for name in written["desks"]}
    tables = PolicyTables.model_validate(written)
    book = policy.expand(Written(tables, settings.load(**SETTINGS), None))
    assert set(book.policy.desks) == set(written["desks"])


def test_every_example_of_a_setting_is_one() -> None:
    (block,) = [tomllib.loads(block) for block in blocks_of(GUIDE, "toml") if block.startswith("[pagers")]
    assert Settings(**block).pagers["ops"].kind == "pagerduty"


def test_the_queue_of_the_guide_stands_as_the_rules_have_it() -> None:
    security = Topic("security")
    rules = Policy(
        desks={},
        topic_rules={
            security: TopicRules(security, head_start=5 * MINUTE),
            Topic("theft"): TopicRules(Topic("theft"), emergency=True),
        },
        head_starts=HeadStarts(verified=2 * MINUTE, returning=MINUTE),
    )
    rows = rows_of(GUIDE, "The queue")
    people = [waiting(customer, since) for customer, since, *_ in rows]
    places = {one.session: str(place) for place, one in enumerate(order(people, rules), 1)}
    assert [places[one.session] for one in people] == [row[4] for row in rows]
    keys = [rank(one, rules).key // MINUTE for one in people]
    assert [f"{key // 60}:{key % 60:02}" for key in keys[1:]] == [row[3] for row in rows[1:]]


def waiting(customer: str, since: str) -> Waiting:
    hours, minutes = map(int, since.split(":"))
    topic = "theft" if "somebody else" in customer else "security" if "security" in customer else "other"
    return Waiting(
        SessionId(customer),
        (hours * 60 + minutes) * MINUTE,
        Topic(topic),
        verified="logged in" in customer,
        returning="was here before" in customer,
    )


def test_the_route_of_the_guide_is_printed_so(tmp_path: Path) -> None:
    file = tmp_path / "kakehashi.toml"
    file.write_text(
        """
        [desks.en]
        titles = { en = "English" }
        languages = ["en"]
        [desks.ja]
        languages = ["ja"]
        [desks.zh]
        titles = { en = "Chinese" }
        channel = "C0CHINESE"
        languages = ["zh"]
        fallbacks = ["en"]
        overflow_after = "10m"
        rota = "night"
        hours = { timezone = "Asia/Tokyo", mon-fri = "09:00-18:00", holidays = "JP" }
        [every_desk.promises]
        first_response = "5m"
        next_response = "10m"
        resolution = "8h"
        [operators.kenji]
        names = { en = "Kenji" }
        [rotas.night]
        timezone = "Asia/Tokyo"
        shifts = [{ days = "tue-mon", operator = "kenji" }]
        overrides = [{ operator = "op-0123456789", start = "2026-01-05 09:00", end = "2026-01-06 09:00" }]
        """
    )
    at, zone = parse_time("2026-01-01T03:00+09:00")
    book = policy.load(settings.load(file, **SETTINGS), at)
    atlas = Atlas(book.policy, book.desk_titles, book.topic_titles, book.zones)
    printed = "\n".join(lines(explain(atlas, Question("zh", "withdrawals", at, zone))))
    assert blocks_of(GUIDE, "text") == [printed + "\n"]
