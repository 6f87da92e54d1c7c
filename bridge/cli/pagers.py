"""`kakehashi page`, `mute`: a pager's test, and the pages about our own health silenced."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import socket
from typing import Any

from bridge.cli.arguments import Commands, add_command, answering
from bridge.cli.command import Command, Status
from bridge.inspection import Engine
from bridge.transcript import moment
from bridge.vigil import Mute, Mutes

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""ms."""


def _page(command: Command) -> Status:
    name, end = command.chosen.test, command.chosen.end
    can_end = asyncio.run(command.wiring.call_pager(command.config, name, end=end))
    if end:
        command.terminal.line("the page is ended" if can_end else "there is nothing to end: this pager is only told")
        return Status.DONE
    command.terminal.line(f"{name} has accepted it; now see whether a telephone rings")
    if can_end:
        command.terminal.line(f"end it there, or with: kakehashi page --test {name} --end")
    return Status.DONE


def _mute(command: Command) -> Status:
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


def arguments(commands: Commands) -> None:
    page = add_command(commands, "page", _page, "call a pager for a test")
    page.add_argument("--test", required=True, metavar="NAME", help="the pager, as the settings name it")
    page.add_argument("--end", action="store_true", help="end the test page instead, where the pager can")
    mute = answering(add_command(commands, "mute", _mute, "silence the pages about our own health for a while"))
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
