"""Commands on a real store: what they say of sessions, what they export, and what is left after an erasure."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from bridge.cli import parser, perform
from bridge.cli.command import Status
from bridge.directory import Directory
from bridge.doctor import Finding
from bridge.feed import Feed
from bridge.inspection import Engine
from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Delivered, Lane, Line, Network
from bridge.relay import Greeting, Receipt, Relay
from bridge.terminal import Terminal
from bridge.views import summary
from routing import inputs as i
from routing.effects import Effect
from routing.ids import (
    CustomerKey,
    DeskId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    Topic,
    partition_in,
)
from routing.policy import Desk, OperatorProfile, Policy
from tests.redis_servers import private_redis

SLACK = NetworkName("slack")
AIKO = OperatorId("aiko")
KENJI = CustomerKey("main", "kenji")
POLICY = Policy(
    desks={DeskId("ja"): Desk(DeskId("ja"), SLACK, Place("C0JAPAN01"))},
    topics=(Topic("transfers"),),
    operators={AIKO: OperatorProfile(AIKO, {"ja": "佐藤"})},
)
SAID = "送金が届きません 🙏"
NOTED = "canary: he is a known troublemaker"
REPLIED = "お調べします"


class NoSenders:
    """Nothing is delivered: everything stays in the lanes."""

    def terms(self, partition: int) -> dict[NetworkName, int]:
        return {}

    def send_direct(self, stored: Any, effects: Sequence[Effect], bodies: Mapping[Any, Body]) -> None:
        raise AssertionError("nothing is direct without a lease")


@dataclass
class Shelf:
    """Files, as far as an erasure goes."""

    kept: set[str] = field(default_factory=lambda: {"passport", "somebody-elses"})

    async def delete(self, file: str) -> bool:
        self.kept.discard(file)
        return True


@dataclass
class OpenEngine:
    store: RedisStore
    relay: Relay
    directory: Directory
    files: Shelf
    networks: Mapping[NetworkName, Network | None]
    rules: Policy
    checks: Sequence[Finding] = ()

    def policy(self) -> Policy:
        return self.rules

    async def hash_password(self, password: str, account: str) -> str:
        return "hash"


@dataclass
class Installation:
    """One Redis, opened anew by each command, as the command line does. The settings may change in between."""

    url: str
    files: Shelf = field(default_factory=Shelf)
    networks: tuple[NetworkName, ...] = (SLACK,)
    rules: Policy = POLICY

    def run(self, config: Path | None) -> int:
        raise AssertionError("not asked for here")

    def check(self, config: Path | None, *, machine: bool) -> Sequence[Finding]:
        return ()

    def route(self, config: Path | None, *, language: str, topic: str, at: str | None) -> Mapping[str, Any]:
        raise AssertionError("not asked for here")

    def slack_manifest(self, config: Path | None) -> str:
        raise AssertionError("not asked for here")

    async def discord_invite(self, config: Path | None, application: str) -> str:
        raise AssertionError("not asked for here")

    def rotate_secret(self, config: Path | None, name: str) -> None:
        raise AssertionError("not asked for here")

    async def call_pager(self, config: Path | None, name: str, *, end: bool) -> bool:
        raise AssertionError("not asked for here")

    @asynccontextmanager
    async def inspect(self, config: Path | None) -> AsyncIterator[Engine]:
        async with self.opened() as engine:
            yield cast(Engine, engine)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[OpenEngine]:
        store, _ = await open_store(Target(url=self.url, partitions=2))
        try:
            relay = Relay(store, Feed(store), lambda: self.rules, NoSenders())
            networks: dict[NetworkName, Network | None] = dict.fromkeys(self.networks)
            yield OpenEngine(store, relay, Directory(store), self.files, networks, self.rules)
        finally:
            await store.close()

    def do(self, work: Callable[[OpenEngine], Awaitable[Any]]) -> Any:
        async def connected() -> Any:
            async with self.opened() as engine:
                return await work(engine)

        return asyncio.run(connected())


@dataclass
class Answer:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def kakehashi(installation: Installation, command: str) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    status = perform(parser().parse_args(command.split()), installation, Terminal(out, err))
    return Answer(status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    folder = tmp_path_factory.mktemp("redis")
    yield loop.run_until_complete(stack.enter_async_context(private_redis(folder, durable=True)))
    loop.run_until_complete(stack.aclose())
    loop.close()


@pytest.fixture
def installation(url: str) -> Installation:
    made = Installation(url)

    async def flush(engine: OpenEngine) -> None:
        await engine.store._wire.call("kakehashi", "FLUSHALL")

    made.do(flush)
    return made


@pytest.fixture
def code(installation: Installation) -> str:
    """A talk: a message with a file, a note, a reply."""

    async def talk(engine: OpenEngine) -> str:
        passport = FilePart("passport", "passport.png", "image/png", 100, 10, 10)
        first = await engine.relay.from_customer(
            KENJI,
            i.CustomerWrote(MessageId("c:1")),
            InputKey("web/1"),
            body=Body((TextPart(SAID), passport)),
            greeting=Greeting(verified=True, language="ja", topic=Topic("transfers")),
        )
        assert isinstance(first, Receipt)
        session = first.stored.session
        note = i.OperatorNoted(MessageId("o:1"), AIKO)
        await engine.relay.from_operator(session.id, note, InputKey("desk/1"), body=Body((TextPart(NOTED),)))
        reply = i.OperatorReplied(MessageId("o:2"), AIKO)
        await engine.relay.from_operator(session.id, reply, InputKey("desk/2"), body=Body((TextPart(REPLIED),)))
        await engine.store.put_line(Line(session.id, session.code, session.desk, 1, summary(session, engine.policy())))
        return session.code

    made: str = installation.do(talk)
    return made


async def deliver_everything(engine: OpenEngine, session: SessionId) -> None:
    """What the lanes of `kakehashi up` would do."""
    lane, partition = Lane(session, SLACK), partition_in(session)
    lease = await engine.store.hold(f"{SLACK}@{partition}", "up", 60_000)
    assert lease is not None
    pending = await engine.store.take(lane, lease.term)
    while pending is not None:
        settled = await engine.store.settle(lane, lease.term, pending.effect, Delivered(), sweep_at=None)
        pending = settled.next


async def until_erased(store: RedisStore, session: SessionId) -> None:
    async with asyncio.timeout(60):
        while True:
            stored = await store.load(session)
            if stored is not None and stored.session.erased:
                return
            await asyncio.sleep(0.01)


# ------------------------------------------------------------------ looking


def test_why_says_last_fact_pending_effects_lease_and_deadline(installation: Installation, code: str) -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in code.lower())
    said = kakehashi(installation, f"why {wide} --json").json
    assert said["last_fact"]["fact"] == "AssigneeCalled"
    assert (said["pending"][0]["to"], said["pending"][0]["first"]) == ("slack", "OpenThread")
    assert said["leases"][0]["holder"] is None
    assert said["next_deadline"] is None
    assert (said["state"], said["turn"], said["assignee"]) == ("assigned", "customers", "aiko")


def test_why_speaks_to_people_too(installation: Installation, code: str) -> None:
    lines = kakehashi(installation, f"why {code}").out.splitlines()
    assert lines[0].startswith(f"{code}  assigned, the turn is customers")
    assert any(line.startswith("pending      slack: ") for line in lines)
    assert lines[-1] == "deadline     none"


def test_why_names_holder_and_deadline_where_there_are_some(installation: Installation, code: str) -> None:
    async def go_on(engine: OpenEngine) -> None:
        session = await engine.store.session_by_code(cast(Any, code))
        assert session is not None
        await deliver_everything(engine, session)
        await engine.relay.from_customer(KENJI, i.CustomerReceived(MessageId("o:2")), InputKey("web/2"))

    installation.do(go_on)
    said = kakehashi(installation, f"why {code} --json").json
    assert said["leases"][0]["holder"] == "up"
    assert said["next_deadline"]["timer"] == "silence"
    assert said["pending"] == []
    assert "pending      nothing" in kakehashi(installation, f"why {code}").out


@pytest.mark.parametrize("command", ["why ZZZZ", "sessions show main.0.nothing", "sessions export a.b.c", "why x"])
def test_a_session_that_is_not_there_is_said_to_be_missing(installation: Installation, command: str) -> None:
    answer = kakehashi(installation, command)
    assert answer.status == Status.FAILED
    assert "there is no session" in answer.err


def test_sessions_are_listed_by_state(installation: Installation, code: str) -> None:
    assert [one["code"] for one in kakehashi(installation, "sessions list --json").json] == [code]
    assert kakehashi(installation, "sessions list --state closed").out == "no sessions\n"
    head, line = kakehashi(installation, "sessions list --state any").out.splitlines()
    assert head.split() == ["code", "state", "desk", "topic", "language", "assignee", "messages", "last"]
    assert line.split()[:6] == [code, "assigned", "ja", "transfers", "ja", "aiko"]


def test_show_has_the_journal_and_no_words(installation: Installation, code: str) -> None:
    answer = kakehashi(installation, f"sessions show {code} --json")
    facts = [fact["fact"] for fact in answer.json["journal"]]
    known = ["SessionOpened", "CustomerMessageAdded", "NoteAdded", "OperatorAssigned", "ReplyAdded", "AssigneeCalled"]
    assert facts == known
    assert answer.json["mirrors"] == [{"number": 1, "network": "slack", "place": "C0JAPAN01", "thread": None}]
    for said in (answer.out, kakehashi(installation, f"sessions show {code}").out):
        assert not any(words in said for words in (SAID, NOTED, REPLIED))


# ------------------------------------------------------------------ exporting


def test_an_export_is_what_the_customer_saw(installation: Installation, code: str) -> None:
    answer = kakehashi(installation, f"sessions export {code}")
    events = answer.json["events"]
    assert [event.get("key") or event["kind"] for event in events] == ["queued", "message", "joined", "message"]
    assert events[1]["parts"][0] == {"type": "text", "text": SAID}
    assert events[1]["parts"][1]["file"] == "passport"
    assert events[3]["parts"] == [{"type": "text", "text": REPLIED}]
    assert answer.json["contains"] == "what the customer saw"


def test_a_note_is_in_no_export_but_the_one_that_asks_for_it(installation: Installation, code: str) -> None:
    assert NOTED not in kakehashi(installation, f"sessions export {code}").out
    events = kakehashi(installation, f"sessions export {code} --with-notes").json["events"]
    (note,) = [event for event in events if event["kind"] == "note"]
    assert note["parts"] == [{"type": "text", "text": NOTED}]


def test_a_withdrawn_message_and_a_revised_note_are_exported_as_that(installation: Installation, code: str) -> None:
    async def change(engine: OpenEngine) -> None:
        session = await engine.store.session_by_code(cast(Any, code))
        assert session is not None
        revised = i.OperatorRevised(MessageId("o:1"), AIKO, 1)
        await engine.relay.from_operator(session, revised, InputKey("desk/3"), body=Body((TextPart("milder"),)))
        await engine.relay.from_operator(session, i.OperatorWithdrew(MessageId("o:2"), AIKO), InputKey("desk/4"))

    installation.do(change)
    events = kakehashi(installation, f"sessions export {code}").json["events"]
    assert events[-1]["withdrawn"]
    assert "milder" not in json.dumps(events)
    assert "milder" in kakehashi(installation, f"sessions export {code} --with-notes").out


# ------------------------------------------------------------------ erasing


def test_an_erasure_without_consent_erases_nothing(
    installation: Installation, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda question: "")
    assert kakehashi(installation, f"sessions erase {code}").status == Status.FAILED
    assert SAID in kakehashi(installation, f"sessions export {code}").out


def test_an_erasure_that_nobody_delivers_says_what_is_left(installation: Installation, code: str) -> None:
    answer = kakehashi(installation, f"sessions erase {code} --yes --wait 0")
    assert answer.status == Status.UNFINISHED
    assert "! slack still shows what it has been sent" in answer.out
    assert "is `kakehashi up` running?" in answer.out
    exported = kakehashi(installation, f"sessions export {code} --with-notes").out
    assert not any(words in exported for words in (SAID, NOTED, REPLIED))
    assert installation.files.kept == {"somebody-elses"}


def test_an_erasure_waits_for_the_mirrors_and_leaves_the_disk_clean(
    installation: Installation, code: str, url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ordered = threading.Event()

    def up() -> None:
        async def work(engine: OpenEngine) -> None:
            session = await engine.store.session_by_code(cast(Any, code))
            assert session is not None
            await until_erased(engine.store, session)
            ordered.set()
            await deliver_everything(engine, session)

        installation.do(work)

    service = threading.Thread(target=up)
    service.start()
    answer = kakehashi(installation, f"sessions erase {code} --yes --wait 60")
    service.join()
    assert ordered.is_set()
    assert answer.status == Status.DONE
    assert "✓ what could be deleted on the networks is deleted" in answer.out
    assert "✓ the append-only file was written anew" in answer.out
    assert "backups" in answer.out
    kept = b"".join(file.read_bytes() for file in tmp_path_factory.getbasetemp().rglob("redis*/**/*") if file.is_file())
    assert kept
    assert SAID.encode() not in kept
    assert NOTED.encode() not in kept


def test_an_erasure_may_be_repeated(installation: Installation, code: str) -> None:
    kakehashi(installation, f"sessions erase {code} --yes --wait 0")
    assert kakehashi(installation, f"sessions erase {code} --yes --wait 0").status == Status.UNFINISHED
    closed = kakehashi(installation, "sessions list --state closed --json").json
    assert [(one["code"], one["erased"]) for one in closed] == [(code, True)]


# ------------------------------------------------------------------ the outbox


def fail(installation: Installation, code: str) -> str:
    """The first delivery fails, as a lane would note it; the effect's id."""

    async def work(engine: OpenEngine) -> str:
        session = await engine.store.session_by_code(cast(Any, code))
        assert session is not None
        lease = await engine.store.hold(f"{SLACK}@{partition_in(session)}", "up", 60_000)
        assert lease is not None
        lane = Lane(session, SLACK)
        pending = await engine.store.take(lane, lease.term)
        assert pending is not None
        await engine.store.put_off(lane, lease.term, 10**14, "not_in_channel", certain=True)
        return pending.effect.id

    effect: str = installation.do(work)
    return effect


def test_what_is_stuck_is_listed_retried_and_discarded(installation: Installation, code: str) -> None:
    assert kakehashi(installation, "outbox list").out == "nothing is stuck\n"
    effect = fail(installation, code)
    (stuck,) = kakehashi(installation, "outbox list --json").json
    assert (stuck["code"], stuck["to"], stuck["effect"], stuck["error"]) == (code, "slack", effect, "not_in_channel")
    assert "not_in_channel" in kakehashi(installation, f"why {code}").out

    assert kakehashi(installation, f"outbox retry {code}").status == Status.DONE
    assert kakehashi(installation, f"outbox discard {code} {effect} --to slack").status == Status.DONE
    assert kakehashi(installation, f"why {code} --json").json["pending"][0]["first"] == "PostMessage"


def test_the_outbox_names_what_it_does_not_have(installation: Installation, code: str) -> None:
    assert "no such effect" in kakehashi(installation, f"outbox discard {code} 00ff").err
    assert "there is no network discord" in kakehashi(installation, f"outbox retry {code} --to discord").err


# ------------------------------------------------------------------ what was taken out of the settings


def test_a_removed_networks_lanes_are_shown_with_the_mend_and_can_be_given_up(
    installation: Installation, code: str
) -> None:
    """They were never tried, so nothing has failed; and nobody is going to try."""
    installation.networks = (NetworkName("console"),)
    (row,) = kakehashi(installation, "outbox list --json").json
    assert (row["code"], row["to"], row["effects"], row["error"]) == (code, "slack", 5, "no adapter configured")
    assert "kakehashi outbox discard" in row["mend"]
    told = kakehashi(installation, "outbox list").out
    assert told.count("! slack: no adapter configured\n  put its settings back") == 1
    assert "pending      slack: 5 effects" in kakehashi(installation, f"why {code}").out
    found = kakehashi(installation, "doctor")
    assert found.out.startswith("! slack: no adapter configured; sessions with something waiting for it: 1\n")

    for _ in range(row["effects"]):
        (row,) = kakehashi(installation, "outbox list --json").json
        assert kakehashi(installation, f"outbox discard {code} {row['effect']}").status == Status.DONE
    assert kakehashi(installation, "outbox list").out == "nothing is stuck\n"
    assert kakehashi(installation, "doctor").out == ""


def test_an_erasure_does_not_wait_for_a_removed_network_and_names_it(installation: Installation, code: str) -> None:
    installation.networks = ()
    answer = kakehashi(installation, f"sessions erase {code} --yes --wait 3600")
    assert answer.status == Status.UNFINISHED
    assert "! slack still shows what it has been sent (no adapter configured)" in answer.out


def test_a_removed_desks_sessions_are_counted(installation: Installation, code: str) -> None:
    assert kakehashi(installation, "doctor").out == ""
    installation.rules = replace(POLICY, desks={DeskId("en"): Desk(DeskId("en"), SLACK, Place("C2"))})
    found = kakehashi(installation, "doctor")
    assert "! desk ja is not in the policy; its sessions that are not closed: 1\n" in found.out
    assert "is `kakehashi up` running?" in found.out
    assert found.status == Status.DONE


# ------------------------------------------------------------------ operators


def test_an_account_is_kept_and_its_name_taken(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda question: "correct horse")
    assert kakehashi(installation, "operators add aiko --name ja=佐藤 --desk ja").status == Status.DONE
    again = kakehashi(installation, "operators add AIKO --name ja=佐藤")
    assert again.status == Status.FAILED
    assert "taken" in again.err
    assert [one["account"] for one in kakehashi(installation, "operators list --json").json] == ["aiko"]


# ------------------------------------------------------------------ blocked customers


def test_who_is_blocked_is_listed_and_may_write_again_once_it_is_lifted(installation: Installation, code: str) -> None:
    async def block(engine: OpenEngine) -> Any:
        session = await engine.store.session_by_code(cast(Any, code))
        assert session is not None
        await engine.relay.from_operator(session, i.OperatorBlocked(AIKO, i.FOR_GOOD), InputKey("slack/block"))
        return await write(engine, "web/8")

    async def write(engine: OpenEngine, key: str = "web/9") -> Any:
        greeting = Greeting(verified=True, language="ja", topic=Topic("transfers"))
        wrote = i.CustomerWrote(MessageId(f"c:{key}"))
        body = Body((TextPart("again"),))
        return await engine.relay.from_customer(KENJI, wrote, InputKey(key), body=body, greeting=greeting)

    assert not isinstance(installation.do(block), Receipt)
    (row,) = kakehashi(installation, "customers blocked --json").json
    assert (row["session"], row["by"], row["until"]) == (code, AIKO, "for good")
    assert kakehashi(installation, f"customers unblock {code}").status == Status.DONE
    assert kakehashi(installation, "customers blocked").out == "nobody is blocked\n"
    assert isinstance(installation.do(write), Receipt)
    again = kakehashi(installation, f"customers unblock {code}")
    assert (again.status, "not blocked" in again.err) == (Status.FAILED, True)


# ------------------------------------------------------------------ the real wiring


def really(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it, in a process of its own."""
    root = Path(__file__).parents[2]
    known = {name: value for name, value in os.environ.items() if not name.startswith("KAKEHASHI_")}
    return subprocess.run(
        [sys.executable, "-m", "bridge.cli", *command.split()],
        cwd=folder,
        env={**known, **environment, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_check_runs_on_the_real_wiring_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = really(tmp_path, "check --json")
    assert (ran.returncode, ran.stderr) == (Status.DONE, "")
    (doubt,) = (finding for finding in json.loads(ran.stdout) if finding["level"] != "ok")
    assert (doubt["level"], "[[web.emergency]]" in doubt["mend"]) == ("warn", True), "only the site knows its page"
    assert list(tmp_path.iterdir()) == []


def test_up_refuses_wrong_settings_all_at_once_before_it_makes_anything(tmp_path: Path) -> None:
    ran = really(tmp_path, "up", KAKEHASHI_WEB__PORT="eighty", KAKEHASHI_SLACK__APP_TOKEN="xapp-hunter2")
    assert ran.returncode == Status.SETTINGS
    assert "where: KAKEHASHI_WEB__PORT" in ran.stderr
    assert "where: slack.bot_token" in ran.stderr
    assert "hunter2" not in ran.stdout + ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_command_finds_the_private_engine_and_leaves_it_in_order(tmp_path: Path) -> None:
    ran = really(tmp_path, "sessions list", KAKEHASHI_DATA_DIR=str(tmp_path / "data"))
    assert (ran.returncode, ran.stdout) == (Status.DONE, "no sessions\n")
    assert not (tmp_path / "data" / "redis" / "kakehashi-redis.pid").exists()
