"""`kakehashi up`, `check`, `doctor`: the service, and what it needs."""

from __future__ import annotations

from bridge.cli.arguments import Commands, add_command, answering
from bridge.cli.command import Command, Status
from bridge.doctor import Finding, examine
from bridge.errors import KakehashiError
from bridge.inspection import Engine, neglected


def _up(command: Command) -> int:
    return command.wiring.run(command.config)


def _check(command: Command) -> Status:
    return command.report(command.wiring.check(command.config, machine=False))


def _doctor(command: Command) -> Status:
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


def arguments(commands: Commands) -> None:
    add_command(commands, "up", _up, "run the service")
    answering(add_command(commands, "check", _check, "check settings and policy, opening nothing"))
    answering(add_command(commands, "doctor", _doctor, "look at everything that the service needs"))
