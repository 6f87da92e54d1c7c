"""`kakehashi customers …`: whom operators have blocked."""

from __future__ import annotations

import secrets

from bridge.cli.arguments import Commands, add_command, add_group, answering
from bridge.cli.command import Command, Status
from bridge.directory import OWNER
from bridge.errors import KakehashiError
from bridge.inspection import Engine, find
from bridge.networks import blocks
from bridge.transcript import moment
from routing.decide import Refusal
from routing.ids import InputKey
from routing.inputs import FOR_GOOD, OperatorUnblocked


def _list_blocked(command: Command) -> Status:
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


def _unblock(command: Command) -> Status:
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


def arguments(commands: Commands) -> None:
    group = add_group(commands, "customers", "customers whom operators have blocked")
    answering(add_command(group, "blocked", _list_blocked, "list who is blocked, by whom, and until when"))
    lift = add_command(group, "unblock", _unblock, "let a customer write again")
    lift.add_argument("session", help="the short code of one of their sessions")
