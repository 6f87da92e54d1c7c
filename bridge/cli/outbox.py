"""`kakehashi outbox …`: deliveries that are stuck or were set aside."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.cli.arguments import Commands, add_command, add_group, answering
from bridge.cli.command import Command, Status
from bridge.doctor import Finding
from bridge.inspection import Engine, NotFoundError, destinations, find, outbox
from bridge.ports import Lane
from routing.ids import EffectId, NetworkName


def _list_outbox(command: Command) -> Status:
    async def answer(engine: Engine) -> Status:
        columns = ("code", "to", "effects", "first", "effect", "attempts", "error", "due", "set_aside")
        rows = await outbox(engine)
        command.table(rows, columns, "nothing is stuck")
        if not command.chosen.json:
            mends = dict.fromkeys((row["to"], row["error"], row["mend"]) for row in rows if "mend" in row)
            command.terminal.findings(Finding("warn", f"{to}: {trouble}", mend) for to, trouble, mend in mends)
        return Status.DONE

    return command.with_engine(answer)


def _retry(command: Command) -> Status:
    async def again(engine: Engine) -> Status:
        session = (await find(engine.store, command.chosen.code)).session
        for to in await _destinations(engine, command.chosen.to):
            await engine.store.retry(Lane(session.id, to))
        command.terminal.line(f"{session.code} is due now")
        return Status.DONE

    return command.with_engine(again)


def _discard(command: Command) -> Status:
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


def arguments(commands: Commands) -> None:
    group = add_group(commands, "outbox", "deliveries that are stuck")
    answering(add_command(group, "list", _list_outbox, "list what is stuck or was set aside"))
    again = add_command(group, "retry", _retry, "try a session's deliveries again now")
    drop = add_command(group, "discard", _discard, "give one delivery up")
    for made in (again, drop):
        made.add_argument("code", help="the session's short code")
        made.add_argument("--to", metavar="NETWORK", help="only this network")
    drop.add_argument("effect", help="the effect's id, as `outbox list` shows it")
