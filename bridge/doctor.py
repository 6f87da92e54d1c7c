"""What `check` and `doctor` find: each finding is good, doubtful or bad, and a bad one says how to mend it.

Who can look at something says so itself: settings in `config`, the engine and the networks in their adapters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from bridge.errors import KakehashiError
from bridge.ports import Network
from routing.ids import NetworkName

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `mend` is empty where there is nothing to do."""

    level: Level
    what: str
    mend: str = ""


@runtime_checkable
class SupportsDoctor(Protocol):
    """A network that can look at its own setup, by reading only, before or after `start`."""

    async def doctor(self) -> Sequence[Finding]:
        """What there is to say. Raises nothing that a person could mend: that is a finding."""
        ...


async def examine(networks: Iterable[Network]) -> list[Finding]:
    """What the networks say of themselves."""
    findings: list[Finding] = []
    for network in networks:
        if isinstance(network, SupportsDoctor):
            findings += await _examined(network.name, network)
    return findings


async def _examined(name: NetworkName, network: SupportsDoctor) -> list[Finding]:
    try:
        return list(await network.doctor())
    except KakehashiError as error:
        return [Finding("fail", f"{name}: {error.what}", error.mend)]


def worst(findings: Iterable[Finding]) -> Level:
    """The worst level among them; ok when there are none."""
    levels = {finding.level for finding in findings}
    return "fail" if "fail" in levels else "warn" if "warn" in levels else "ok"
