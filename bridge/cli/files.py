"""What `kakehashi files …` does: list a session's attachments, and have one removed everywhere."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from bridge.cli.arguments import Commands, add_command, add_group, answering
from bridge.cli.asking import agreed
from bridge.cli.command import Command, Status
from bridge.doctor import Finding
from bridge.inspection import Engine, find, unserved
from bridge.purges import ELSEWHERE, Purges
from bridge.terminal import Terminal
from bridge.transcript import moment
from routing.inputs import PurgeReason

Agreed = Callable[[str], bool]
"""Asks a person; True when they say yes."""

COLUMNS = ("file", "media_type", "size", "from", "at", "removed")


class FileCommands:
    """`chosen` is what was understood of the command line."""

    def __init__(self, engine: Engine, terminal: Terminal, chosen: argparse.Namespace, agreed: Agreed) -> None:
        self._engine = engine
        self._terminal = terminal
        self._chosen = chosen
        self._agreed = agreed
        self._purges = Purges(engine.store, engine.relay, engine.files)

    async def rows(self) -> list[dict[str, Any]]:
        """The session's attachments, oldest first. Their names are words, and stand here no more than other words."""
        stored = await find(self._engine.store, self._chosen.code)
        return [
            {
                "file": one.file,
                "media_type": one.media_type,
                "size": None if one.purged else one.size,
                "from": one.side,
                "at": moment(one.at),
                "removed": one.purged,
            }
            for one in await self._purges.attached(stored.session.id)
        ]

    async def purge(self) -> bool:
        """Order it, wait for every mirror, and say what is left where. Whether nothing is."""
        stored, file = await find(self._engine.store, self._chosen.code), self._chosen.file
        code, session = stored.session.code, stored.session.id
        if not self._chosen.yes and not self._agreed(f"Remove this attachment of {code} everywhere, for ever?"):
            self._terminal.line("nothing was removed")
            return False
        await self._purges.order(stored, file, PurgeReason(self._chosen.why), None)
        self._terminal.progress("removing it from every mirror")
        networks = [*self._engine.networks, *await unserved(self._engine)]
        waiting = await self._purges.wait(session, networks, self._chosen.wait)
        self._terminal.progress_over()
        findings = [Finding("ok", f"nobody is shown the attachment of {code} any more")]
        mend = "it goes on by itself while `kakehashi up` runs; see `kakehashi outbox list`"
        findings += [
            Finding("warn", f"{one.lane.to}: still to do, {one.effects} ({one.error or 'waiting'})", mend)
            for one in waiting
        ]
        left = await self._purges.remaining(session, file)
        findings += [Finding("warn", f"left on {line}", "have it deleted there by hand") for line in left]
        self._terminal.findings(findings)
        self._terminal.line("Not in our reach, and left:")
        for place in ELSEWHERE:
            self._terminal.line(f"  {place}")
        return not waiting and not left


def _list_files(command: Command) -> Status:
    async def work(engine: Engine) -> Status:
        rows = await FileCommands(engine, command.terminal, command.chosen, agreed).rows()
        command.table(rows, COLUMNS, "there is no attachment")
        return Status.DONE

    return command.with_engine(work)


def _purge_file(command: Command) -> Status:
    async def work(engine: Engine) -> Status:
        gone = await FileCommands(engine, command.terminal, command.chosen, agreed).purge()
        return Status.DONE if gone else Status.UNFINISHED

    return command.with_engine(work)


def arguments(commands: Commands) -> None:
    group = add_group(commands, "files", "attachments")
    listing = answering(add_command(group, "list", _list_files, "list a session's attachments, without their names"))
    gone = add_command(group, "purge", _purge_file, "remove one attachment everywhere")
    for made in (listing, gone):
        made.add_argument("code", help="the session's short code, such as K7Q2, or its id")
    gone.add_argument("file", help="the attachment's id, as `files list` shows it")
    reasons = [reason.value for reason in PurgeReason]
    gone.add_argument("--why", choices=reasons, default=PurgeReason.OTHER.value, help="for the record; default: other")
    gone.add_argument("--yes", action="store_true", help="do not ask")
    gone.add_argument("--wait", type=float, default=120.0, metavar="SECONDS", help="for the mirrors; default: 120")
