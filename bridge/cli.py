"""The command line. It reads arguments and prints answers; `bridge.main` does all the wiring behind it.

Answers go to standard output, errors and progress to standard error. Exit statuses are in `Status`.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import re
import secrets
import socket
import sys
import warnings
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import replace
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from bridge import blocks, reload, routes
from bridge.directory import OWNER, Operator, new_operator_id, normal_account
from bridge.doctor import Finding, examine, worst
from bridge.erasure import ELSEWHERE, Leftovers, erase
from bridge.errors import KakehashiError, OverloadedError, SettingsError, StoreUnavailableError
from bridge.file_commands import COLUMNS as FILE_COLUMNS
from bridge.file_commands import FileCommands
from bridge.incident_commands import COLUMNS, IncidentCommands
from bridge.inspection import (
    NO_ADAPTER,
    NO_ADAPTER_MEND,
    Engine,
    NotFoundError,
    destinations,
    find,
    neglected,
    outbox,
    pending,
    sessions,
    shown,
    unserved,
    why,
)
from bridge.languages import LANGUAGES
from bridge.ports import Lane, LaneState
from bridge.terminal import Terminal
from bridge.transcript import moment, transcript
from bridge.vigil import Mute, Mutes
from routing.decide import Refusal
from routing.ids import DeskId, EffectId, InputKey, NetworkName, OperatorId, SessionId
from routing.inputs import FOR_GOOD, OperatorUnblocked, PurgeReason
from routing.policy import OperatorProfile
from routing.session import State

STATES = ("open", "any", *(state.value for state in State if state is not State.NEW))
SLACK = NetworkName("slack")


class Status(IntEnum):
    """Exit statuses. 2 is argparse's, for a command that cannot be understood."""

    DONE = 0
    FAILED = 1  # it could not be done, or `check` or `doctor` found something that must be mended
    USAGE = 2
    SETTINGS = 3  # a setting is wrong; nothing was started
    UNAVAILABLE = 4  # the store does not answer; the same command may be tried again
    UNFINISHED = 5  # an erasure is ordered and not yet done everywhere; the same command continues it
    INTERRUPTED = 130


STATUSES = {
    Status.DONE: "done",
    Status.FAILED: "it could not be done, or something must be mended",
    Status.USAGE: "the command cannot be understood",
    Status.SETTINGS: "a setting is wrong; nothing was started",
    Status.UNAVAILABLE: "the store does not answer; try again",
    Status.UNFINISHED: "an erasure is not yet done everywhere; the same command continues it",
    Status.INTERRUPTED: "interrupted",
}


class Wiring(Protocol):
    """What `bridge.main` gives. `config` is the path of a settings file, or None for the usual place."""

    def run(self, config: Path | None) -> int:
        """The service, until it is told to stop; its exit status."""
        ...

    def inspect(self, config: Path | None) -> AbstractAsyncContextManager[Engine]:
        """The engine for one command: connected, starting no lanes and no listeners."""
        ...

    def check(self, config: Path | None, *, machine: bool) -> Sequence[Finding]:
        """What there is to say of the settings and the policy; with `machine`, of this machine too. Opens nothing."""
        ...

    def route(self, config: Path | None, *, language: str, topic: str, at: str | None) -> Mapping[str, Any]:
        """Where a session would go, and why, by the policy as it is written. Opens nothing."""
        ...

    def slack_manifest(self, config: Path | None) -> str: ...
    def rotate_secret(self, config: Path | None, name: str) -> None: ...
    async def call_pager(self, config: Path | None, name: str, *, end: bool) -> bool:
        """Call a pager for a test, or end that page. True when it is one that can be ended. Opens no store."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `kakehashi`. Returns the exit status."""
    chosen = parser().parse_args(arguments)
    return perform(chosen, _wiring(), Terminal())


def perform(chosen: argparse.Namespace, wiring: Wiring, terminal: Terminal) -> int:
    """Carry out a command that was understood. Whatever people can mend is said in three parts."""
    try:
        return int(chosen.command(_Command(chosen, wiring, terminal)))
    except SettingsError as error:
        terminal.error(error)
        return Status.SETTINGS
    except (StoreUnavailableError, OverloadedError) as error:
        terminal.error(error)
        return Status.UNAVAILABLE
    except KakehashiError as error:
        terminal.error(error)
        return Status.FAILED
    except KeyboardInterrupt:
        return Status.INTERRUPTED


def _wiring() -> Wiring:
    # Imported late: it brings in every adapter, which `--help` and `version` do not need.
    from bridge import main as wiring

    return wiring


class _Command:
    """One command on its way: what was asked, how to reach the engine, where to answer."""

    def __init__(self, chosen: argparse.Namespace, wiring: Wiring, terminal: Terminal) -> None:
        self.chosen = chosen
        self.wiring = wiring
        self.terminal = terminal
        self.config: Path | None = chosen.config

    def with_engine(self, work: Callable[[Engine], Awaitable[Status]]) -> Status:
        async def connected() -> Status:
            async with self.wiring.inspect(self.config) as engine:
                return await work(engine)

        return asyncio.run(connected())

    def table(self, rows: Sequence[dict[str, Any]], columns: Sequence[str], empty: str) -> None:
        """Rows for people, or all that is known for programs."""
        if self.chosen.json:
            self.terminal.json(rows)
        elif not rows:
            self.terminal.line(empty)
        else:
            self.terminal.table(columns, [[_cell(row[column]) for column in columns] for row in rows])

    def report(self, findings: Sequence[Finding]) -> Status:
        if self.chosen.json:
            self.terminal.json([{"level": one.level, "what": one.what, "mend": one.mend} for one in findings])
        else:
            self.terminal.findings(findings)
        return Status.FAILED if worst(findings) == "fail" else Status.DONE


# ------------------------------------------------------------------ the service


def _up(command: _Command) -> int:
    return command.wiring.run(command.config)


def _check(command: _Command) -> Status:
    return command.report(command.wiring.check(command.config, machine=False))


def _doctor(command: _Command) -> Status:
    findings = list(command.wiring.check(command.config, machine=True))

    async def look(engine: Engine) -> Status:
        findings.extend(engine.checks)
        findings.extend(await examine(engine.networks.values()))
        findings.extend(await neglected(engine))
        return Status.DONE

    try:
        command.with_engine(look)
    except KakehashiError as error:
        findings.append(Finding("fail", error.what, error.mend))
    return command.report(findings)


def _page(command: _Command) -> Status:
    name, end = command.chosen.test, command.chosen.end
    can_end = asyncio.run(command.wiring.call_pager(command.config, name, end=end))
    if end:
        command.terminal.line("the page is ended" if can_end else "there is nothing to end: this pager is only told")
        return Status.DONE
    command.terminal.line(f"{name} has accepted it; now see whether a telephone rings")
    if can_end:
        command.terminal.line(f"end it there, or with: kakehashi page --test {name} --end")
    return Status.DONE


def _mute(command: _Command) -> Status:
    chosen = command.chosen

    async def mute(engine: Engine) -> Status:
        mutes = Mutes(engine.store)
        if chosen.end:
            ended = await mutes.end(chosen.end)
            command.terminal.line(f"ended: {ended.why}")
        elif chosen.list:
            now = await engine.store.now()
            rows = [_muted(one, now) for one in await mutes.all()]
            command.table(rows, ("id", "from", "until", "holds", "who", "why"), "nothing was ever muted")
        else:
            made = await mutes.add(chosen.lasting, f"{getpass.getuser()}@{socket.gethostname()}", chosen.why)
            command.terminal.line(f"health pages are silent until {moment(made.until)}")
            command.terminal.line(f"end it sooner with: kakehashi mute --end {made.id}")
        return Status.DONE

    return command.with_engine(mute)


def _muted(mute: Mute, now: int) -> dict[str, Any]:
    until = mute.until if mute.ended is None else mute.ended
    times = {"from": moment(mute.start), "until": moment(until)}
    return {"id": mute.id, **times, "holds": mute.holds_at(now), "who": mute.who, "why": mute.why}


def _route(command: _Command) -> Status:
    chosen = command.chosen
    answer = command.wiring.route(command.config, language=chosen.language, topic=chosen.topic, at=chosen.at)
    if chosen.json:
        command.terminal.json(answer)
    else:
        for line in routes.lines(answer):
            command.terminal.line(line)
    return Status.DONE


def _reload(command: _Command) -> Status:
    """Look at the policy here, tell every process to read it anew, and hear what each made of it."""
    found = command.wiring.check(command.config, machine=False)
    command.terminal.findings(one for one in found if one.level != "ok")

    async def tell(engine: Engine) -> Status:
        asked = await reload.processes(engine.store)
        if not asked:
            command.terminal.line("no process is running; the next one reads it as it starts")
            return Status.DONE
        name, answers = await reload.order(engine.store), list[reload.Answer]()
        with suppress(TimeoutError):
            async with asyncio.timeout(command.chosen.wait):
                while len(answers) < len(asked):
                    await asyncio.sleep(0.1)
                    answers = await reload.answers(engine.store, name, asked)
        return _tell_answers(command.terminal, asked, answers)

    return command.with_engine(tell)


def _tell_answers(terminal: Terminal, asked: Sequence[str], answers: Sequence[reload.Answer]) -> Status:
    by_process = {one.process: one for one in answers}
    findings = []
    for process in asked:
        answer = by_process.get(process)
        if answer is None:
            findings.append(Finding("warn", f"process {process} has not answered", "it reads it as soon as it can"))
        elif answer.errors:
            findings.append(
                Finding("fail", f"process {process} keeps the policy that it had", "\n  ".join(answer.errors))
            )
        else:
            findings.append(Finding("ok", f"process {process} goes by the new policy"))
    terminal.findings(findings)
    return Status.DONE if worst(findings) == "ok" else Status.FAILED


def _version(command: _Command) -> Status:
    command.terminal.line(f"kakehashi {version('kakehashi')}")
    return Status.DONE


def _manifest(command: _Command) -> Status:
    command.terminal.line(command.wiring.slack_manifest(command.config).rstrip())
    return Status.DONE


def _rotate(command: _Command) -> Status:
    command.wiring.rotate_secret(command.config, command.chosen.name)
    command.terminal.line(f"{command.chosen.name} has a new key; restart every process to use it")
    command.terminal.line("what the key before it signed stays valid until the next rotation")
    return Status.DONE


# ------------------------------------------------------------------ sessions


def _why(command: _Command) -> Status:
    async def explain(engine: Engine) -> Status:
        answer = await why(engine, await find(engine.store, command.chosen.code))
        if command.chosen.json:
            command.terminal.json(answer)
        else:
            _explain(command.terminal, answer)
        return Status.DONE

    return command.with_engine(explain)


def _explain(terminal: Terminal, answer: dict[str, Any]) -> None:
    terminal.line(f"{answer['code']}  {answer['state']}, the turn is {answer['turn']}  ({answer['session']})")
    terminal.line(f"customer     {answer['customer_is']}")
    terminal.line(f"assignee     {answer['assignee'] or 'nobody'}")
    terminal.line(f"last fact    {_fact(answer['last_fact'])}")
    for lane in answer["pending"]:
        trouble = f", {lane['attempts']} attempts, last: {lane['error']}" if lane["error"] else ""
        terminal.line(f"pending      {lane['to']}: {lane['effects']} effects, first {lane['first']}{trouble}")
    if not answer["pending"]:
        terminal.line("pending      nothing")
    for lease in answer["leases"]:
        held = f"held by {lease['holder']}, term {lease['term']}" if lease["holder"] else "held by nobody"
        terminal.line(f"lease        {lease['lease']} {held}")
    deadline = answer["next_deadline"]
    terminal.line(f"deadline     {deadline['timer']} at {deadline['at']}" if deadline else "deadline     none")


def _fact(fact: dict[str, Any] | None) -> str:
    return "none" if fact is None else f"{fact['at']}  {fact['fact']} by {fact['actor']} (cause {fact['cause']})"


def _list_sessions(command: _Command) -> Status:
    async def answer(engine: Engine) -> Status:
        rows = await sessions(engine.store, command.chosen.state, command.chosen.limit)
        columns = ("code", "state", "desk", "topic", "language", "assignee", "messages", "last")
        command.table(rows, columns, "no sessions")
        return Status.DONE

    return command.with_engine(answer)


def _show_session(command: _Command) -> Status:
    async def answer(engine: Engine) -> Status:
        session = await shown(engine.store, await find(engine.store, command.chosen.code))
        if command.chosen.json:
            command.terminal.json(session)
            return Status.DONE
        for key, value in session.items():
            if key not in ("journal", "mirrors"):
                command.terminal.line(f"{key:14}{_cell(value)}")
        for mirror in session["mirrors"]:
            command.terminal.line(f"{'mirror':14}{mirror['network']} {mirror['place']} {_cell(mirror['thread'])}")
        for fact in session["journal"]:
            command.terminal.line(f"  {_fact(fact)}")
        return Status.DONE

    return command.with_engine(answer)


def _export_session(command: _Command) -> Status:
    async def answer(engine: Engine) -> Status:
        stored = await find(engine.store, command.chosen.code)
        command.terminal.json(await transcript(engine.store, stored, with_notes=command.chosen.with_notes))
        return Status.DONE

    return command.with_engine(answer)


def _erase_session(command: _Command) -> Status:
    async def carry_out(engine: Engine) -> Status:
        stored = await find(engine.store, command.chosen.code)
        if not command.chosen.yes and not _agreed(f"Erase everything that {stored.session.code} says, for ever?"):
            command.terminal.line("nothing was erased")
            return Status.FAILED
        left = await erase(
            engine.store,
            engine.relay,
            engine.files,
            stored,
            networks=tuple(engine.networks),
            patience=command.chosen.wait,
            told=command.terminal.progress,
        )
        command.terminal.progress_over()
        left = replace(left, lanes=(*left.lanes, *await _lanes_without_adapter(engine, stored.session.id)))
        return _tell_what_is_left(command.terminal, stored.session.code, left, tuple(engine.networks))

    return command.with_engine(carry_out)


async def _lanes_without_adapter(engine: Engine, session: SessionId) -> list[LaneState]:
    """Nobody delivers these, so an erasure has not waited for them; what was posted there is still there."""
    states = [await engine.store.lane_states(session, to) for to in await unserved(engine)]
    return [state for state in states if state is not None]


def _tell_what_is_left(terminal: Terminal, code: str, left: Leftovers, served: Collection[NetworkName]) -> Status:
    findings = [Finding("ok", f"the words and files of {code} are deleted")]
    findings += [_mirrors_left(pending(state), state.lane.to in served) for state in left.lanes]
    findings += [] if left.lanes else [Finding("ok", "what could be deleted on the networks is deleted")]
    if left.disk:
        mend = "run BGREWRITEAOF (and take a new snapshot) on that Redis"
        findings.append(Finding("warn", f"erased words may still lie on Redis's disk: {left.disk}", mend))
    else:
        findings.append(Finding("ok", "the append-only file was written anew"))
    findings += [Finding("warn", f"left on {line}", "delete it there by hand") for line in left.posts]
    terminal.findings(findings)
    terminal.line("Not in our reach, and left:")
    for place in ELSEWHERE:
        terminal.line(f"  {place}")
    return Status.DONE if left.nothing else Status.UNFINISHED


def _mirrors_left(lane: dict[str, Any], served: bool) -> Finding:
    what = f"{lane['to']} still shows what it has been sent"
    if not served:
        return Finding("warn", f"{what} ({NO_ADAPTER})", NO_ADAPTER_MEND)
    trouble = f" (last error: {lane['error']})" if lane["error"] else ""
    mend = "is `kakehashi up` running? It deletes them; run this command again to see"
    return Finding("warn", what + trouble, mend)


# ------------------------------------------------------------------ the outbox


def _list_outbox(command: _Command) -> Status:
    async def answer(engine: Engine) -> Status:
        columns = ("code", "to", "effects", "first", "effect", "attempts", "error", "due", "set_aside")
        rows = await outbox(engine)
        command.table(rows, columns, "nothing is stuck")
        if not command.chosen.json:
            mends = dict.fromkeys((row["to"], row["error"], row["mend"]) for row in rows if "mend" in row)
            command.terminal.findings(Finding("warn", f"{to}: {trouble}", mend) for to, trouble, mend in mends)
        return Status.DONE

    return command.with_engine(answer)


def _retry(command: _Command) -> Status:
    async def again(engine: Engine) -> Status:
        session = (await find(engine.store, command.chosen.code)).session
        for to in await _destinations(engine, command.chosen.to):
            await engine.store.retry(Lane(session.id, to))
        command.terminal.line(f"{session.code} is due now")
        return Status.DONE

    return command.with_engine(again)


def _discard(command: _Command) -> Status:
    async def drop(engine: Engine) -> Status:
        session = (await find(engine.store, command.chosen.code)).session
        effect = EffectId(command.chosen.effect)
        for to in await _destinations(engine, command.chosen.to):
            if await engine.store.discard(Lane(session.id, to), effect):
                command.terminal.line(f"{to} will not be told of {effect}")
                return Status.DONE
        raise NotFoundError(f"{session.code} has no such effect waiting", mend="see `kakehashi outbox list`")

    return command.with_engine(drop)


async def _destinations(engine: Engine, chosen: str | None) -> Sequence[NetworkName]:
    known = await destinations(engine)
    if chosen is None:
        return known
    if chosen not in known:
        raise NotFoundError(f"there is no network {chosen}", mend=f"choose from {', '.join(known)}")
    return (NetworkName(chosen),)


# ------------------------------------------------------------------ incidents


def _list_incidents(command: _Command) -> Status:
    async def answer(engine: Engine) -> Status:
        rows = await IncidentCommands(engine, command.terminal, command.chosen, _agreed).rows()
        command.table(rows, COLUMNS, "nothing is going on")
        return Status.DONE

    return command.with_engine(answer)


def _incident(deed: Callable[[IncidentCommands], Awaitable[bool]]) -> Callable[[_Command], Status]:
    def carry_out(command: _Command) -> Status:
        async def work(engine: Engine) -> Status:
            done = await deed(IncidentCommands(engine, command.terminal, command.chosen, _agreed))
            return Status.DONE if done else Status.FAILED

        return command.with_engine(work)

    return carry_out


def _list_files(command: _Command) -> Status:
    async def work(engine: Engine) -> Status:
        rows = await FileCommands(engine, command.terminal, command.chosen, _agreed).rows()
        command.table(rows, FILE_COLUMNS, "there is no attachment")
        return Status.DONE

    return command.with_engine(work)


def _purge_file(command: _Command) -> Status:
    async def work(engine: Engine) -> Status:
        gone = await FileCommands(engine, command.terminal, command.chosen, _agreed).purge()
        return Status.DONE if gone else Status.UNFINISHED

    return command.with_engine(work)


# ------------------------------------------------------------------ blocked customers


def _list_blocked(command: _Command) -> Status:
    async def answer(engine: Engine) -> Status:
        rows = [
            {
                "customer": one.customer,
                "session": one.code,
                "by": one.by,
                "until": "for good" if one.until == FOR_GOOD else moment(one.until),
            }
            for one in await blocks.everyone(engine.store)
        ]
        command.table(rows, ("customer", "session", "by", "until"), "nobody is blocked")
        return Status.DONE

    return command.with_engine(answer)


def _unblock(command: _Command) -> Status:
    async def work(engine: Engine) -> Status:
        stored = await blocks.subject(engine.relay, await find(engine.store, command.chosen.session))
        key = InputKey(f"command/unblock/{secrets.token_hex(8)}")
        answer = await engine.relay.from_operator(stored.session.id, OperatorUnblocked(OWNER), key)
        if isinstance(answer, Refusal):
            raise KakehashiError(
                "this customer is not blocked", where=stored.session.code, mend="see `kakehashi customers blocked`"
            )
        command.terminal.line(f"{stored.session.customer} may write again")
        return Status.DONE

    return command.with_engine(work)


# ------------------------------------------------------------------ operators


def _add_operator(command: _Command) -> Status:
    chosen = command.chosen

    async def add(engine: Engine) -> Status:
        operator_id = await _id_of(engine, chosen.account)
        written = engine.policy().operators.get(operator_id)
        names = dict(chosen.name) or _names(chosen, command.terminal, written)
        password = "" if chosen.no_password else _password(chosen)
        operator = Operator(
            operator_id,
            account=chosen.account,
            names=names,
            desks=_known_desks(engine, chosen.desk),
            capacity=chosen.capacity,
            lead=chosen.lead,
            network_users={SLACK: tuple(chosen.slack)} if chosen.slack else {},
            password_hash="" if chosen.no_password else await engine.hash_password(password, chosen.account),
        )
        kept = await engine.directory.add(operator)
        way = " by one-time links" if chosen.no_password else ""
        command.terminal.line(f"{kept.account} may sign in at the desk{way} ({kept.id})")
        if not names and written is None:
            command.terminal.line("customers read a neutral name until they choose one, which the desk asks for")
        return Status.DONE

    return command.with_engine(add)


async def _id_of(engine: Engine, account: str) -> OperatorId:
    """An operator whom the policy names by this account is that one, with what it says of them; else a new one."""
    await engine.directory.refresh()
    written = OperatorId(normal_account(account))
    named = written in engine.policy().operators and engine.directory.by_account(account) is None
    return written if named else new_operator_id()


def _known_desks(engine: Engine, desks: Sequence[str]) -> tuple[DeskId, ...]:
    known = engine.policy().desks
    for desk in desks:
        if desk not in known:
            raise NotFoundError(f"there is no desk {desk}", mend=f"choose from {', '.join(known)}")
    return tuple(DeskId(desk) for desk in desks)


def _sign_in_link(command: _Command) -> Status:
    async def mint(engine: Engine) -> Status:
        if command.chosen.account == "owner":
            operator = await engine.directory.ensure_owner()
        else:
            operator = await _known_account(engine, command.chosen.account)
        if not operator.active:
            raise KakehashiError(f"the account {operator.account} is closed", mend="add another one")
        command.terminal.line(await engine.sign_in_link(operator.id))
        return Status.DONE

    return command.with_engine(mint)


def _link_operator(command: _Command) -> Status:
    """With a user, that user speaks as the operator. Without one it prints a sign-in link, as it always has."""
    if command.chosen.user is None:
        return _sign_in_link(command)

    async def link(engine: Engine) -> Status:
        operator = await _linkable(engine, command.chosen.account)
        kept = await engine.directory.link(operator.id, SLACK, command.chosen.user)
        command.terminal.line(f"{command.chosen.user} in Slack speaks as {kept.account} from now on")
        return Status.DONE

    return command.with_engine(link)


async def _linkable(engine: Engine, account: str) -> Operator:
    """An account; the owner's, and that of an operator whom only the policy names, are made at first use."""
    await engine.directory.refresh()
    if normal_account(account) == "owner":
        return await engine.directory.ensure_owner()
    written = OperatorId(normal_account(account))
    if engine.directory.by_account(account) is None and written in engine.policy().operators:
        return await engine.directory.add(Operator(written, account=account))
    operator = await _known_account(engine, account)
    if not operator.active:
        raise KakehashiError(f"the account {operator.account} is closed", mend="add another one")
    return operator


def _unlink_operator(command: _Command) -> Status:
    async def unlink(engine: Engine) -> Status:
        operator = await _known_account(engine, command.chosen.account)
        await engine.directory.unlink(operator.id, SLACK, command.chosen.user)
        command.terminal.line(f"{command.chosen.user} in Slack is nobody's now; what they write there is held")
        return Status.DONE

    return command.with_engine(unlink)


def _set_password(command: _Command) -> Status:
    password = _password(command.chosen)

    async def change(engine: Engine) -> Status:
        operator = await _known_account(engine, command.chosen.account)
        kept = await engine.hash_password(password, operator.account)
        await engine.directory.set_password(operator.id, kept)
        command.terminal.line(f"{operator.account} has a new password, and is signed out everywhere")
        return Status.DONE

    return command.with_engine(change)


def _close_operator(command: _Command) -> Status:
    async def close(engine: Engine) -> Status:
        operator = await _known_account(engine, command.chosen.account)
        await engine.directory.close(operator.id)
        command.terminal.line(f"{operator.account} can no longer sign in; what they wrote stays")
        return Status.DONE

    return command.with_engine(close)


async def _known_account(engine: Engine, account: str) -> Operator:
    await engine.directory.refresh()
    operator = engine.directory.by_account(account)
    if operator is None:
        raise NotFoundError(f"there is no account {account}", mend="see `kakehashi operators list`")
    return operator


def _list_operators(command: _Command) -> Status:
    async def answer(engine: Engine) -> Status:
        await engine.directory.refresh()
        profiles = engine.policy().operators
        users = engine.directory.users_of
        rows = [_operator(one, profiles.get(one.id)) | {"users": list(users(one.id))} for one in engine.directory.all()]
        command.table(rows, ("account", "names", "desks", "capacity", "lead", "active", "users"), "no operators")
        return Status.DONE

    return command.with_engine(answer)


def _operator(operator: Operator, profile: OperatorProfile | None) -> dict[str, Any]:
    """As it counts: what the policy's file says of an operator goes before what was said when the account was made."""
    profile = profile or operator.profile  # a closed account is in no policy
    return {
        "id": operator.id,
        "account": operator.account,
        "names": dict(profile.names),
        "desks": list(profile.desks),
        "capacity": profile.capacity,
        "lead": operator.lead or profile.lead,
        "active": operator.active,
    }


# ------------------------------------------------------------------ asking and showing


def _names(chosen: argparse.Namespace, terminal: Terminal, written: OperatorProfile | None) -> dict[str, str]:
    """None are needed where the policy's file has them; none can be asked for where the password comes from a pipe."""
    known = written is not None and written.names
    return {} if known or chosen.password_stdin else _ask_names(terminal)


def _ask_names(terminal: Terminal) -> dict[str, str]:
    terminal.line("Public names, as customers see them. Leave a language empty to skip it.")
    with _answers_come("give --name LANG=NAME"):
        asked = {language: input(f"  {language}: ").strip() for language in LANGUAGES}
    return {language: name for language, name in asked.items() if name}


def _password(chosen: argparse.Namespace) -> str:
    return sys.stdin.readline().rstrip("\n") if chosen.password_stdin else _ask_password()


def _ask_password() -> str:
    with _answers_come("give --password-stdin"):
        password, again = getpass.getpass("Password: "), getpass.getpass("Again: ")
    if again != password:
        raise KakehashiError("the two passwords differ", mend="run the command again")
    return password


def _agreed(question: str) -> bool:
    with _answers_come("give --yes"):
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


@contextmanager
def _answers_come(mend: str) -> Iterator[None]:
    """Raises KakehashiError where there is nobody to answer a question."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would show what is typed
            yield
    except (EOFError, getpass.GetPassWarning) as error:
        raise KakehashiError("there is nobody here to answer", mend=f"{mend}, or run it at a terminal") from error


def _cell(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {one}" for key, one in value.items()) or "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


# ------------------------------------------------------------------ the arguments


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(
        prog="kakehashi",
        description="A bridge between customers on a website and support operators.",
        epilog="exit statuses:\n" + "\n".join(f"  {status:<4}{meaning}" for status, meaning in STATUSES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--config", type=Path, metavar="PATH", help="settings; else KAKEHASHI_CONFIG, kakehashi.toml")
    top.add_argument("--version", action="version", version=f"kakehashi {version('kakehashi')}")
    commands = top.add_subparsers(metavar="command", required=True)
    _service_arguments(commands)
    _session_arguments(commands)
    _file_arguments(commands)
    _outbox_arguments(commands)
    _pager_arguments(commands)
    _incident_arguments(commands)
    _customer_arguments(commands)
    _operator_arguments(commands)
    return top


Commands = Any
"""argparse's own name for what `add_subparsers` gives is private."""


def _add(commands: Commands, name: str, does: Callable[[_Command], int], about: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    made.add_argument("--config", type=Path, metavar="PATH", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    made.set_defaults(command=does)
    return made


def _answering(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
    made.add_argument("--json", action="store_true", help="answer in JSON")
    return made


def _group(commands: Commands, name: str, about: str) -> Commands:
    made = commands.add_parser(name, help=about, description=about)
    return made.add_subparsers(metavar="command", required=True)


def _service_arguments(commands: Commands) -> None:
    _add(commands, "up", _up, "run the service")
    _answering(_add(commands, "check", _check, "check settings and policy, opening nothing"))
    _answering(_add(commands, "doctor", _doctor, "look at everything that the service needs"))
    where = _answering(_add(commands, "route", _route, "say where a session would go, and why"))
    where.add_argument("--language", required=True, metavar="TAG", help="the customer's: ja, en, zh-Hans, zh-Hant …")
    where.add_argument("--topic", default="", help="its id, or a word of its title; none in particular when left out")
    where.add_argument("--at", metavar="TIME", help="such as 2026-01-01T03:00+09:00; default: now")
    again = _add(commands, "reload", _reload, "have every process read the policy anew, without a restart")
    again.add_argument("--wait", type=float, default=15.0, metavar="SECONDS", help="for their answers; default: 15")
    _add(commands, "version", _version, "print the version")
    slack = _group(commands, "slack", "Slack")
    _add(slack, "manifest", _manifest, "print a manifest that creates the Slack app")
    secrets = _group(commands, "secrets", "the installation's own secrets")
    rotate = _add(secrets, "rotate", _rotate, "replace a key; the one before stays valid until the next time")
    rotate.add_argument("name", help="visitor_tokens or file_links")


def _pager_arguments(commands: Commands) -> None:
    page = _add(commands, "page", _page, "call a pager for a test")
    page.add_argument("--test", required=True, metavar="NAME", help="the pager, as the settings name it")
    page.add_argument("--end", action="store_true", help="end the test page instead, where the pager can")
    mute = _answering(_add(commands, "mute", _mute, "silence the pages about our own health for a while"))
    choice = mute.add_mutually_exclusive_group(required=True)
    choice.add_argument(
        "--for", dest="lasting", type=_lasting, metavar="TIME", help="from now on, such as 30m or 2h; a day at most"
    )
    choice.add_argument("--list", action="store_true", help="who was silent when, and why")
    choice.add_argument("--end", metavar="ID", help="end one now")
    mute.add_argument("--why", default="", help="the reason, for the record; needed with --for")


def _lasting(text: str) -> int:
    """A length of time in ms: 90s, 30m, 2h, 1d."""
    number, unit = text[:-1], text[-1:]
    if not number.isdigit() or unit not in UNITS:
        raise argparse.ArgumentTypeError("write it as in 30m or 2h")
    return int(number) * UNITS[unit]


UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""ms."""


def _session_arguments(commands: Commands) -> None:
    explain = _answering(_add(commands, "why", _why, "say where a session stands and what it waits for"))
    group = _group(commands, "sessions", "sessions")
    listing = _answering(_add(group, "list", _list_sessions, "list sessions, newest first"))
    listing.add_argument("--state", choices=STATES, default="open", help="default: open")
    listing.add_argument("--limit", type=_count, default=50, help="default: 50")
    show = _answering(_add(group, "show", _show_session, "show a session and its journal; no words"))
    export = _add(group, "export", _export_session, "write a session's transcript as JSON: what the customer saw")
    export.add_argument("--with-notes", action="store_true", help="operators' notes too; not for the customer's eyes")
    gone = _add(group, "erase", _erase_session, "delete a session's words, files and mirrors")
    gone.add_argument("--yes", action="store_true", help="do not ask")
    gone.add_argument("--wait", type=float, default=120.0, metavar="SECONDS", help="for the mirrors; default: 120")
    for made in (explain, show, export, gone):
        made.add_argument("code", help="the session's short code, such as K7Q2, or its id")


def _file_arguments(commands: Commands) -> None:
    group = _group(commands, "files", "attachments")
    listing = _answering(_add(group, "list", _list_files, "list a session's attachments, without their names"))
    gone = _add(group, "purge", _purge_file, "remove one attachment everywhere")
    for made in (listing, gone):
        made.add_argument("code", help="the session's short code, such as K7Q2, or its id")
    gone.add_argument("file", help="the attachment's id, as `files list` shows it")
    reasons = [reason.value for reason in PurgeReason]
    gone.add_argument("--why", choices=reasons, default=PurgeReason.OTHER.value, help="for the record; default: other")
    gone.add_argument("--yes", action="store_true", help="do not ask")
    gone.add_argument("--wait", type=float, default=120.0, metavar="SECONDS", help="for the mirrors; default: 120")


def _outbox_arguments(commands: Commands) -> None:
    group = _group(commands, "outbox", "deliveries that are stuck")
    _answering(_add(group, "list", _list_outbox, "list what is stuck or was set aside"))
    again = _add(group, "retry", _retry, "try a session's deliveries again now")
    drop = _add(group, "discard", _discard, "give one delivery up")
    for made in (again, drop):
        made.add_argument("code", help="the session's short code")
        made.add_argument("--to", metavar="NETWORK", help="only this network")
    drop.add_argument("effect", help="the effect's id, as `outbox list` shows it")


def _customer_arguments(commands: Commands) -> None:
    group = _group(commands, "customers", "customers whom operators have blocked")
    _answering(_add(group, "blocked", _list_blocked, "list who is blocked, by whom, and until when"))
    lift = _add(group, "unblock", _unblock, "let a customer write again")
    lift.add_argument("session", help="the short code of one of their sessions")


def _incident_arguments(commands: Commands) -> None:
    group = _group(commands, "incident", "one cause behind many sessions: banner, updates, one end for all")
    listing = _answering(_add(group, "list", _list_incidents, "list what is going on"))
    listing.add_argument("--all", action="store_true", help="also what is over")
    start = _add(group, "start", _incident(IncidentCommands.start), "declare an incident: a banner for every customer")
    update = _add(group, "update", _incident(IncidentCommands.update), "tell everybody in it, each in their language")
    link = _add(group, "link", _incident(IncidentCommands.link), "say which sessions are about it")
    resolve = _add(group, "resolve", _incident(IncidentCommands.resolve), "resolve its sessions together, and end it")
    end = _add(group, "end", _incident(IncidentCommands.end), "end it: the banner goes, nobody is told")
    for made in (update, link, resolve, end):
        made.add_argument("incident", help="its id, such as INC-7KQ")
    start.add_argument("--title", action="append", type=_words, default=[], metavar="LANG=TEXT", help="of the banner")
    start.add_argument("--banner", action="append", type=_words, default=[], metavar="LANG=TEXT", help="text below it")
    for made in (start, link):
        made.add_argument("--desk", action="append", default=[], metavar="DESK", help="sessions of this desk")
        made.add_argument("--topic", action="append", default=[], metavar="TOPIC", help="sessions about this topic")
        made.add_argument("--since", metavar="TIME", help="opened since: 30m, 2h, 1d, or an ISO time")
        made.add_argument("--once", action="store_true", help="only those of now, and not who comes")
    link.add_argument("code", nargs="*", help="sessions by their short codes")
    for made in (update, resolve):
        made.add_argument("--say", action="append", type=_words, default=[], metavar="LANG=TEXT", help="the words")
    resolve.add_argument("--outcome", choices=("solved", "unsolved"), default="solved", help="default: solved")
    resolve.add_argument("--keep", action="store_true", help="leave the incident, with its banner, as it is")
    for made in (start, update, link, resolve, end):
        made.add_argument(
            "--as", dest="account", default="owner", metavar="ACCOUNT", help="who says it; default: owner"
        )
        made.add_argument("--yes", action="store_true", help="do not ask")


def _operator_arguments(commands: Commands) -> None:
    group = _group(commands, "operators", "accounts of the built-in desk")
    _answering(_add(group, "list", _list_operators, "list the accounts"))
    add = _add(group, "add", _add_operator, "add an account; asks for names and password")
    add.add_argument("account", help="the name to sign in with; customers never see it")
    add.add_argument("--name", action="append", type=_name, default=[], metavar="LANG=NAME", help="a public name")
    add.add_argument("--desk", action="append", default=[], metavar="DESK", help="where they work; else everywhere")
    add.add_argument("--capacity", type=int, default=4, help="sessions at once; default: 4")
    add.add_argument("--lead", action="store_true", help="sees the team: who is on, and how much each holds")
    add.add_argument(
        "--slack", action="append", type=_slack_user, default=[], metavar="TEAM:USER", help="who they are in Slack"
    )
    link = _add(group, "link", _link_operator, "say who an operator is in Slack: only then are their words replies")
    part = _add(group, "unlink", _unlink_operator, "end that; what the user writes is held from then on")
    sign_in = _add(group, "sign-in", _sign_in_link, "print a link that signs in once, without a password")
    password = _add(group, "password", _set_password, "set a password; whoever was signed in is signed out")
    close = _add(group, "close", _close_operator, "close an account; what it wrote stays")
    for made in (link, sign_in):
        made.add_argument("account", nargs="?", default="owner", help="default: owner, the built-in account")
    link.add_argument(
        "user", nargs="?", type=_slack_user, metavar="TEAM:USER", help="left out: a sign-in link is printed instead"
    )
    part.add_argument("account", help="whose user it was")
    part.add_argument("user", type=_slack_user, metavar="TEAM:USER")
    for made in (password, close):
        made.add_argument("account", help="the name to sign in with")
    passing = add.add_mutually_exclusive_group()
    passing.add_argument("--no-password", action="store_true", help="they sign in by one-time links only")
    for ways in (passing, password):
        ways.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def _words(text: str) -> tuple[str, str]:
    language, separator, words = text.partition("=")
    if not separator or not language or not words.strip():
        raise argparse.ArgumentTypeError('write it as in en="Withdrawals are delayed"')
    return language, words.strip()


def _slack_user(text: str) -> str:
    if not re.fullmatch(r"[TE][A-Z0-9]{2,}:[UW][A-Z0-9]{2,}", text):
        raise argparse.ArgumentTypeError("write it as in T024BE7LD:U061F7AUR")
    return text


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("give a whole number from 1 on")
    return int(text)


def _name(text: str) -> tuple[str, str]:
    language, separator, name = text.partition("=")
    if not separator or not language or not name:
        raise argparse.ArgumentTypeError("write it as in ja=佐藤")
    return language, name


if __name__ == "__main__":
    sys.exit(main())
