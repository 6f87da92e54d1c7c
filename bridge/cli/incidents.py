"""What `kakehashi incident …` does: each command shows first what it would do, and asks before it does it."""

from __future__ import annotations

import argparse
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bridge.broadcasts import Broadcast, Broadcasts, Preview, previewed
from bridge.cli.arguments import Commands, add_command, add_group, answering
from bridge.cli.asking import agreed
from bridge.cli.command import Command, Status
from bridge.directory import OWNER
from bridge.incidents import BANNER_LIMIT, TITLE_LIMIT, Incident, IncidentError, Incidents, Scope, check_words
from bridge.inspection import Engine, NotFoundError, find
from bridge.languages import known_words, spoken
from bridge.terminal import Terminal
from bridge.transcript import moment
from routing.decide import Refusal
from routing.ids import DeskId, OperatorId, Topic
from routing.inputs import Outcome

Agreed = Callable[[str], bool]
"""Asks a person; True when they say yes."""

COLUMNS = ("id", "title", "since", "ended", "sessions")

_BACK = re.compile(r"(\d{1,5})([mhd])\Z", re.ASCII)
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


class IncidentCommands:
    """`chosen` is what was understood of the command line."""

    def __init__(self, engine: Engine, terminal: Terminal, chosen: argparse.Namespace, agreed: Agreed) -> None:
        self._engine = engine
        self._terminal = terminal
        self._chosen = chosen
        self._agreed = agreed
        self._incidents = Incidents(engine.store, engine.relay, engine.policy)
        holder = f"command-{secrets.token_hex(4)}"
        self._broadcasts = Broadcasts(engine.store, engine.relay, self._incidents, holder)

    # ------------------------------------------------------------------ list

    async def rows(self) -> list[dict[str, Any]]:
        """Every incident that is going on, or with `--all` every one there was."""
        known = await (self._incidents.all() if self._chosen.all else self._incidents.current())
        return [await self._row(one) for one in known]

    async def _row(self, one: Incident) -> dict[str, Any]:
        return {
            "id": one.id,
            "title": one.title("en"),
            "titles": dict(one.titles),
            "since": moment(one.since),
            "ended": moment(one.ended_at) if one.ended_at else None,
            "sessions": len(await self._incidents.sessions(one.id)),
        }

    # ------------------------------------------------------------------ start, link, end

    async def start(self) -> bool:
        titles, banners = self._words(self._chosen.title, "--title"), self._words(self._chosen.banner, "--banner")
        check_words(titles, "--title", TITLE_LIMIT)
        check_words(banners, "--banner", BANNER_LIMIT, needed=False)
        by, scope = await self._operator(), await self._scope()
        found = await self._incidents.find(scope) if scope else []
        for language, title in titles.items():
            self._terminal.line(f"{language:8} {title}")
            self._terminal.line(f"{'':8} {banners[language]}" if banners.get(language) else "")
        self._show(previewed([one.session.language for one in found], titles, len(found)), "would be linked now")
        if not self._may("Show this to every customer?"):
            return False
        made = await self._incidents.declare(titles, banners, by)
        self._terminal.line(f"{made.id} is declared; customers' pages show it within seconds")
        if scope is not None:
            await self._link_by(made, scope)
        return True

    async def link(self) -> bool:
        incident, scope = await self._known(), await self._scope()
        if bool(self._chosen.code) == (scope is not None):
            raise IncidentError(
                "which sessions?", where="incident link", mend="give codes, or --desk, --topic, --since"
            )
        if scope is None:
            return await self._link_codes(incident)
        found = await self._incidents.find(scope)
        self._show(previewed([one.session.language for one in found], incident.titles, len(found)), "would be linked")
        if not self._may(f"Link them to {incident.id}?"):
            return False
        await self._link_by(incident, scope)
        return True

    async def _link_codes(self, incident: Incident) -> bool:
        found = [await find(self._engine.store, code) for code in self._chosen.code]
        if not self._may(f"Link {', '.join(one.session.code for one in found)} to {incident.id}?"):
            return False
        done = True
        for stored in found:
            answer = await self._incidents.link(incident.id, stored.session.id, secrets.token_hex(8))
            done = done and not isinstance(answer, Refusal)
            said = f"refused ({answer.reason})" if isinstance(answer, Refusal) else "linked"
            self._terminal.line(f"{stored.session.code}  {said}")
        return done

    async def _link_by(self, incident: Incident, scope: Scope) -> None:
        linked = await self._incidents.link_by(incident.id, scope, secrets.token_hex(8))
        self._terminal.line(f"linked: {linked}")
        if scope.until is None:
            self._terminal.line("the running service goes on linking who comes, until the incident is over")

    async def end(self) -> bool:
        incident = await self._known()
        if not self._may(f"End {incident.id} ({incident.title('en')})? Nobody is told, and nothing is resolved."):
            return False
        await self._incidents.end(incident.id, await self._operator())
        self._terminal.line(f"{incident.id} is over")
        return True

    # ------------------------------------------------------------------ one word to all

    async def update(self) -> bool:
        return await self._broadcast("Send it?", "would read", outcome=None, ends=False)

    async def resolve(self) -> bool:
        outcome, ends = Outcome(self._chosen.outcome), not self._chosen.keep
        return await self._broadcast("Resolve them?", "would be resolved", outcome=outcome, ends=ends)

    async def _broadcast(self, question: str, saying: str, *, outcome: Outcome | None, ends: bool) -> bool:
        words = self._words(self._chosen.say, "--say")
        incident, by = await self._known(), await self._operator()
        preview = await self._broadcasts.preview(incident.id, words)
        self._show(preview, saying, words)
        if not self._may(question):
            return False
        name = f"command-{secrets.token_hex(8)}"
        ordered = await self._broadcasts.order(name, incident.id, by, words, outcome=outcome, ends=ends)
        done = await self._broadcasts.finish(ordered, self._progress)
        self._terminal.progress_over()
        return self._tell(done)

    def _progress(self, broadcast: Broadcast) -> None:
        self._terminal.progress(f"{broadcast.done} of {broadcast.total} sessions")

    def _tell(self, done: Broadcast) -> bool:
        self._terminal.line(f"done: {done.done - done.failed} of {done.total}")
        for failure in done.failures:
            self._terminal.line(f"  {failure.code}  not done: {failure.reason}")
        if done.ends:
            self._terminal.line(f"{done.incident} is over")
        return done.failed == 0

    # ------------------------------------------------------------------ asking and showing

    def _show(self, preview: Preview, saying: str, words: Mapping[str, str] | None = None) -> None:
        self._terminal.line(f"{preview.sessions} sessions {saying}")
        for one in preview.readings:
            other = f" (in {one.uses})" if one.uses and one.uses != one.language else ""
            said = f"  {one.text}" if words else ""
            self._terminal.line(f"  {one.sessions:5}  {one.language}{other if words else ''}{said}")

    def _may(self, question: str) -> bool:
        if self._chosen.yes or self._agreed(question):
            return True
        self._terminal.line("nothing was done")
        return False

    def _words(self, given: Sequence[tuple[str, str]], where: str) -> Mapping[str, str]:
        return known_words(given, spoken(self._engine.policy()), where)

    async def _known(self) -> Incident:
        return await self._incidents.known(self._chosen.incident)

    async def _operator(self) -> OperatorId:
        account = self._chosen.account
        if account == OWNER:
            return OWNER
        await self._engine.directory.refresh()
        operator = self._engine.directory.by_account(account)
        if operator is None:
            raise NotFoundError(f"there is no account {account}", mend="see `kakehashi operators list`")
        return operator.id

    async def _scope(self) -> Scope | None:
        chosen = self._chosen
        if not (chosen.desk or chosen.topic or chosen.since):
            return None
        policy, now = self._engine.policy(), await self._engine.store.now()
        desks = _all_known(chosen.desk, tuple(policy.desks), "desk")
        topics = _all_known(chosen.topic, tuple(policy.topics), "topic")
        since = since_when(chosen.since, now) if chosen.since else 0
        return Scope(tuple(map(DeskId, desks)), tuple(map(Topic, topics)), since, now if chosen.once else None)


def since_when(text: str, now: int) -> int:
    """`30m`, `2h`, `1d` ago, or an ISO time with its offset, in ms since 1970. Raises IncidentError."""
    back = _BACK.match(text)
    if back:
        return now - int(back[1]) * _UNITS[back[2]]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise IncidentError(f"{text} is no time", where="--since", mend="write 30m, 2h, 1d or 2026-01-01T03:00+09:00")
    return round(at.timestamp() * 1000)


def _all_known(wanted: Sequence[str], known: Sequence[str], what: str) -> Sequence[str]:
    for one in wanted:
        if one not in known:
            raise NotFoundError(f"there is no {what} {one}", mend=f"choose from {', '.join(known)}")
    return wanted


def _list_incidents(command: Command) -> Status:
    async def answer(engine: Engine) -> Status:
        rows = await IncidentCommands(engine, command.terminal, command.chosen, agreed).rows()
        command.table(rows, COLUMNS, "nothing is going on")
        return Status.DONE

    return command.with_engine(answer)


def _incident(deed: Callable[[IncidentCommands], Awaitable[bool]]) -> Callable[[Command], Status]:
    def carry_out(command: Command) -> Status:
        async def work(engine: Engine) -> Status:
            done = await deed(IncidentCommands(engine, command.terminal, command.chosen, agreed))
            return Status.DONE if done else Status.FAILED

        return command.with_engine(work)

    return carry_out


def arguments(commands: Commands) -> None:
    group = add_group(commands, "incident", "one cause behind many sessions: banner, updates, one end for all")
    listing = answering(add_command(group, "list", _list_incidents, "list what is going on"))
    listing.add_argument("--all", action="store_true", help="also what is over")
    start = add_command(
        group, "start", _incident(IncidentCommands.start), "declare an incident: a banner for every customer"
    )
    update = add_command(
        group, "update", _incident(IncidentCommands.update), "tell everybody in it, each in their language"
    )
    link = add_command(group, "link", _incident(IncidentCommands.link), "say which sessions are about it")
    resolve = add_command(
        group, "resolve", _incident(IncidentCommands.resolve), "resolve its sessions together, and end it"
    )
    end = add_command(group, "end", _incident(IncidentCommands.end), "end it: the banner goes, nobody is told")
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


def _words(text: str) -> tuple[str, str]:
    language, separator, words = text.partition("=")
    if not separator or not language or not words.strip():
        raise argparse.ArgumentTypeError('write it as in en="Withdrawals are delayed"')
    return language, words.strip()
