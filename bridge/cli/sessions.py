"""`kakehashi why`, `sessions …`: where a session stands, what it says, and its erasure."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from bridge.cli.arguments import Commands, add_command, add_group, answering
from bridge.cli.asking import agreed
from bridge.cli.command import Command, Status, cell
from bridge.doctor import Finding
from bridge.erasure import ELSEWHERE, Leftovers, erase
from bridge.inspection import NO_ADAPTER, NO_ADAPTER_MEND, Engine, find, pending, sessions, shown, unserved, why
from bridge.ports import LaneState
from bridge.terminal import Terminal
from bridge.transcript import transcript
from routing.ids import NetworkName, SessionId
from routing.session import State

STATES = ("open", "any", *(state.value for state in State if state is not State.NEW))


def _why(command: Command) -> Status:
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


def _list_sessions(command: Command) -> Status:
    async def answer(engine: Engine) -> Status:
        rows = await sessions(engine.store, command.chosen.state, command.chosen.limit)
        columns = ("code", "state", "desk", "topic", "language", "assignee", "messages", "last")
        command.table(rows, columns, "no sessions")
        return Status.DONE

    return command.with_engine(answer)


def _show_session(command: Command) -> Status:
    async def answer(engine: Engine) -> Status:
        session = await shown(engine.store, await find(engine.store, command.chosen.code))
        if command.chosen.json:
            command.terminal.json(session)
            return Status.DONE
        for key, value in session.items():
            if key not in ("journal", "mirrors"):
                command.terminal.line(f"{key:14}{cell(value)}")
        for mirror in session["mirrors"]:
            command.terminal.line(f"{'mirror':14}{mirror['network']} {mirror['place']} {cell(mirror['thread'])}")
        for fact in session["journal"]:
            command.terminal.line(f"  {_fact(fact)}")
        return Status.DONE

    return command.with_engine(answer)


def _export_session(command: Command) -> Status:
    async def answer(engine: Engine) -> Status:
        stored = await find(engine.store, command.chosen.code)
        command.terminal.json(await transcript(engine.store, stored, with_notes=command.chosen.with_notes))
        return Status.DONE

    return command.with_engine(answer)


def _erase_session(command: Command) -> Status:
    async def carry_out(engine: Engine) -> Status:
        stored = await find(engine.store, command.chosen.code)
        if not command.chosen.yes and not agreed(f"Erase everything that {stored.session.code} says, for ever?"):
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


def arguments(commands: Commands) -> None:
    explain = answering(add_command(commands, "why", _why, "say where a session stands and what it waits for"))
    group = add_group(commands, "sessions", "sessions")
    listing = answering(add_command(group, "list", _list_sessions, "list sessions, newest first"))
    listing.add_argument("--state", choices=STATES, default="open", help="default: open")
    listing.add_argument("--limit", type=_count, default=50, help="default: 50")
    show = answering(add_command(group, "show", _show_session, "show a session and its journal; no words"))
    export = add_command(
        group, "export", _export_session, "write a session's transcript as JSON: what the customer saw"
    )
    export.add_argument("--with-notes", action="store_true", help="operators' notes too; not for the customer's eyes")
    gone = add_command(group, "erase", _erase_session, "delete a session's words, files and mirrors")
    gone.add_argument("--yes", action="store_true", help="do not ask")
    gone.add_argument("--wait", type=float, default=120.0, metavar="SECONDS", help="for the mirrors; default: 120")
    for made in (explain, show, export, gone):
        made.add_argument("code", help="the session's short code, such as K7Q2, or its id")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("give a whole number from 1 on")
    return int(text)
