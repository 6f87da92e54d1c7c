"""`kakehashi incident …` on a real Redis: shown first, asked for, done; and nothing is done without a yes."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from bridge.cli import parser, perform
from bridge.cli.incidents import since_when
from bridge.directory import Operator
from bridge.incidents import IncidentError
from bridge.messages import Body, TextPart
from bridge.ports import Line
from bridge.relay import Greeting, Receipt
from bridge.terminal import Terminal
from bridge.views import summary
from routing import facts as f
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, OperatorId, ShortCode, Topic
from routing.inputs import CustomerWrote
from routing.policy import Policy, TopicRules
from routing.session import Session
from tests.integration.test_commands import POLICY, Answer, Installation, OpenEngine
from tests.redis_servers import private_redis

OUT, SECURITY = Topic("withdrawals"), Topic("security")
DESK = replace(next(iter(POLICY.desks.values())), id=DeskId("support"))
RULES = Policy({DESK.id: DESK}, (OUT, SECURITY), {SECURITY: TopicRules(SECURITY, identity_check=True)})


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    folder = tmp_path_factory.mktemp("redis")
    yield loop.run_until_complete(stack.enter_async_context(private_redis(folder)))
    loop.run_until_complete(stack.aclose())
    loop.close()


@pytest.fixture
def installation(url: str) -> Installation:
    made = Installation(url, rules=RULES)

    async def flush(engine: OpenEngine) -> None:
        await engine.store._wire.call("kakehashi", "FLUSHALL")

    made.do(flush)
    return made


def incident(installation: Installation, *arguments: str) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    status = perform(parser().parse_args(["incident", *arguments]), installation, Terminal(out, err))
    return Answer(status, out.getvalue(), err.getvalue())


def opened(installation: Installation, name: str, language: str = "en", topic: Topic = OUT) -> str:
    """A customer who waits; their session's code."""

    async def write(engine: OpenEngine) -> str:
        answer = await engine.relay.from_customer(
            CustomerKey("main", f"~{name}"),
            CustomerWrote(MessageId("c:1")),
            InputKey(f"web/{name}"),
            body=Body((TextPart("?"),)),
            greeting=Greeting(False, language, topic),
        )
        assert isinstance(answer, Receipt)
        session = answer.stored.session
        await engine.store.put_line(Line(session.id, session.code, session.desk, 1, summary(session, engine.policy())))
        return session.code

    code: str = installation.do(write)
    return code


def session(installation: Installation, code: str) -> Session:
    async def look(engine: OpenEngine) -> Session:
        known = await engine.store.session_by_code(ShortCode(code))
        stored = await engine.store.load(known) if known else None
        assert stored is not None
        return stored.session

    found: Session = installation.do(look)
    return found


def told(installation: Installation, code: str) -> list[tuple[str, OperatorId]]:
    async def look(engine: OpenEngine) -> list[tuple[str, OperatorId]]:
        known = await engine.store.session_by_code(ShortCode(code))
        assert known is not None
        facts = [one.fact for one in await engine.store.journal(known)]
        updates = [fact for fact in facts if isinstance(fact, f.UpdateAdded)]
        bodies = await engine.store.bodies(known, [(one.message, 0) for one in updates])
        return [(body.text, one.operator) for body, one in zip(bodies, updates, strict=True) if body is not None]

    found: list[tuple[str, OperatorId]] = installation.do(look)
    return found


def started(installation: Installation, *arguments: str) -> str:
    words = ("--title", "en=Withdrawals are delayed", "--title", "ja=出金が遅れています")
    assert incident(installation, "start", *words, "--yes", *arguments).status == 0
    (row,) = listed(installation)
    return str(row["id"])


@pytest.mark.parametrize("option", ["--title", "--banner"])
def test_a_title_in_a_language_that_is_not_spoken_here_declares_nothing(
    installation: Installation, option: str
) -> None:
    answer = incident(installation, "start", "--title", "EN=Slow", option, "jp=遅い", "--yes")
    assert answer.status == 1
    assert "jp" in answer.err
    assert option in answer.err
    assert "ja, en, zh-Hans, zh-Hant" in answer.err
    assert listed(installation) == []


def test_an_update_in_a_language_that_is_not_spoken_here_is_sent_to_nobody(installation: Installation) -> None:
    name = started(installation)
    answer = incident(installation, "update", name, "--say", "fr=Bonjour", "--yes")
    assert (answer.status, "--say" in answer.err) == (1, True)


def test_a_language_is_understood_however_it_is_written(installation: Installation) -> None:
    assert incident(installation, "start", "--title", "EN=Slow", "--title", "zh-hans=慢", "--yes").status == 0
    (row,) = listed(installation)
    assert row["titles"] == {"en": "Slow", "zh-Hans": "慢"}


def listed(installation: Installation, *arguments: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(incident(installation, "list", "--json", *arguments).out)
    return rows


def test_starting_shows_the_words_and_who_would_be_linked_and_asks(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(installation, "mia", "ja")
    answers = ["n", "y"]
    monkeypatch.setattr("builtins.input", lambda _question: answers.pop(0))
    scope = ("--topic", "withdrawals", "--since", "2h")
    words = ("--title", "ja=出金が遅れています", "--banner", "ja=復旧作業中です", *scope)
    refused = incident(installation, "start", *words)
    assert (refused.status, listed(installation)) == (1, [])
    for shown in ("出金が遅れています", "復旧作業中です", "1 sessions would be linked now", "nothing was done"):
        assert shown in refused.out
    done = incident(installation, "start", *words)
    assert (done.status, answers) == (0, [])
    assert "linked: 1" in done.out
    (row,) = listed(installation)
    assert (row["sessions"], row["titles"]) == (1, {"ja": "出金が遅れています"})


def test_an_update_is_shown_per_language_and_sent_once_to_each(installation: Installation) -> None:
    mia, ann, other = opened(installation, "mia", "ja"), opened(installation, "ann", "fr"), opened(installation, "bo")
    name = started(installation)
    assert incident(installation, "link", name, mia, ann, "--yes").out.count("linked") == 2
    say = ("--say", "ja=復旧しました。", "--say", "en=It works again.")
    answer = incident(installation, "update", name.lower(), *say, "--yes")
    assert answer.status == 0
    assert "2 sessions would read" in answer.out
    assert "fr (in en)  It works again." in answer.out
    assert "done: 2 of 2" in answer.out
    owner = OperatorId("owner")
    assert told(installation, mia) == [("復旧しました。", owner)]
    assert told(installation, ann) == [("It works again.", owner)]
    assert told(installation, other) == []


def test_an_account_may_be_named_that_customers_then_know_it_by(installation: Installation) -> None:
    code = opened(installation, "mia")
    name = started(installation)
    incident(installation, "link", name, code, "--yes")

    async def hire(engine: OpenEngine) -> None:
        await engine.directory.add(Operator(OperatorId("op-1"), "kenji", {"en": "Sato"}))

    installation.do(hire)
    assert incident(installation, "update", name, "--say", "en=Back.", "--as", "kenji", "--yes").status == 0
    assert told(installation, code) == [("Back.", OperatorId("op-1"))]
    assert incident(installation, "update", name, "--say", "en=x", "--as", "nobody", "--yes").status == 1


def test_resolving_ends_the_incident_and_names_what_was_left(installation: Installation) -> None:
    mia, ann = opened(installation, "mia"), opened(installation, "ann", topic=SECURITY)
    name = started(installation)
    incident(installation, "link", name, mia, ann, "--yes")
    answer = incident(installation, "resolve", name, "--yes")
    assert answer.status == 1
    assert f"{ann}  not done: check_needed" in answer.out
    assert (session(installation, mia).state, session(installation, ann).state) == ("resolved", "queued")
    assert listed(installation) == []
    (over,) = listed(installation, "--all")
    assert over["ended"] is not None
    assert incident(installation, "resolve", name, "--outcome", "unsolved", "--keep", "--yes").status == 0
    assert session(installation, ann).state == "resolved"


def test_a_scope_links_those_of_now_when_that_is_said(installation: Installation) -> None:
    name = started(installation)
    mia = opened(installation, "mia")
    answer = incident(installation, "link", name, "--desk", "support", "--once", "--yes")
    assert "linked: 1" in answer.out
    assert "goes on" not in answer.out
    assert session(installation, mia).incident == name
    assert "goes on" in incident(installation, "link", name, "--since", "1d", "--yes").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["link", "{id}", "--yes"],
        ["link", "{id}", "K7Q2", "--since", "1h", "--yes"],
        ["link", "{id}", "ZZZZZ", "--yes"],
        ["link", "{id}", "--desk", "nowhere", "--yes"],
        ["link", "{id}", "--since", "yesterday", "--yes"],
        ["update", "{id}", "--yes"],
        ["update", "INC-000", "--say", "en=x", "--yes"],
        ["start", "--yes"],
        ["start", "--title", f"en={'x' * 81}", "--yes"],
    ],
)
def test_what_cannot_be_done_is_said_with_the_mend(installation: Installation, arguments: Sequence[str]) -> None:
    name = started(installation)
    answer = incident(installation, *(one.replace("{id}", name) for one in arguments))
    assert answer.status == 1
    assert "mend:" in answer.err
    assert "linked" not in answer.out.replace("would be linked", "")


def test_ending_asks_and_says_so(installation: Installation) -> None:
    name = started(installation)
    assert f"{name} is over" in incident(installation, "end", name, "--yes").out
    assert listed(installation) == []
    assert incident(installation, "list").out.strip() == "nothing is going on"
    assert name in incident(installation, "list", "--all").out


def test_times_are_spans_back_or_moments_with_their_offset() -> None:
    now = 1_800_000_000_000
    assert [since_when(one, now) for one in ("30m", "2h", "1d")] == [now - 1_800_000, now - 7_200_000, now - 86_400_000]
    assert since_when("2026-01-01T03:00+09:00", now) == 1_767_204_000_000
    for wrong in ("2026-01-01T03:00", "3 hours", ""):
        with pytest.raises(IncidentError):
            since_when(wrong, now)
