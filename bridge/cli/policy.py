"""`kakehashi route`, `reload`: the policy, asked and read anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from bridge import reload, routes
from bridge.cli.arguments import Commands, add_command, answering
from bridge.cli.command import Command, Status
from bridge.doctor import Finding, worst
from bridge.inspection import Engine
from bridge.terminal import Terminal


def _route(command: Command) -> Status:
    chosen = command.chosen
    answer = command.wiring.route(command.config, language=chosen.language, topic=chosen.topic, at=chosen.at)
    if chosen.json:
        command.terminal.json(answer)
    else:
        for line in routes.lines(answer):
            command.terminal.line(line)
    return Status.DONE


def _reload(command: Command) -> Status:
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


def arguments(commands: Commands) -> None:
    where = answering(add_command(commands, "route", _route, "say where a session would go, and why"))
    where.add_argument("--language", required=True, metavar="TAG", help="the customer's: ja, en, zh-Hans, zh-Hant …")
    where.add_argument("--topic", default="", help="its id, or a word of its title; none in particular when left out")
    where.add_argument("--at", metavar="TIME", help="such as 2026-01-01T03:00+09:00; default: now")
    again = add_command(commands, "reload", _reload, "have every process read the policy anew, without a restart")
    again.add_argument("--wait", type=float, default=15.0, metavar="SECONDS", help="for their answers; default: 15")
