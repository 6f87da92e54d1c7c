"""Orders: a typed command of an operator's about a session becomes its input, or is found to lack something.

Pure, and the same for every network: what differs is only how a line was taken in, and how the answer is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from bridge.directory import Directory
from bridge.networks.commands import RESULTS, Command, Verb, Vocabulary, Words, named, until
from routing import inputs as i
from routing.ids import DeskId, OperatorId
from routing.inputs import Outcome
from routing.session import Session

Wording = Callable[[str, str], str]

_BARE: Mapping[Verb, Callable[[OperatorId], i.OperatorInput]] = {
    Verb.CLAIM: i.OperatorClaimed,
    Verb.RELEASE: i.OperatorReleased,
    Verb.ESCALATE: i.OperatorEscalated,
    Verb.ACKNOWLEDGE: i.OperatorAcknowledged,
}
"""Commands that are complete by themselves."""


@dataclass(frozen=True, slots=True)
class Amiss:
    """Nothing is done, and why: `command.{key}` of the wording."""

    key: str


@dataclass(frozen=True, slots=True)
class Order:
    """The input, and what its confirmation says beside the session's code: a time, an outcome, a desk."""

    event: i.OperatorInput
    words: Mapping[str, str | int] = field(default_factory=dict)


class Orders:
    """`titles` are desks' names by language, `zone` a desk's time zone."""

    def __init__(
        self,
        wording: Wording,
        languages: Iterable[str],
        directory: Directory,
        *,
        desks: Callable[[], Iterable[DeskId]],
        titles: Callable[[], Mapping[DeskId, Mapping[str, str]]] = dict,
        zone: Callable[[DeskId], tzinfo] = lambda _desk: UTC,
    ) -> None:
        known = tuple(languages)
        self.vocabulary: Vocabulary = Words.read(Verb, "command", wording, known)
        self.outcomes = Words.read(RESULTS, "command.outcome", wording, known)
        self._directory = directory
        self._desks = desks
        self._titles = titles
        self.zone = zone

    def title(self, desk: DeskId, language: str) -> str:
        """What a desk is called."""
        titles = self._titles().get(desk, {})
        return titles.get(language) or titles.get(language.split("-")[0]) or titles.get("en") or desk

    def desks(self) -> list[DeskId]:
        return list(self._desks())

    def order(
        self, command: Command, operator: OperatorId, session: Session, now: int, mentioned: OperatorId | None = None
    ) -> Order | Amiss:
        """`mentioned`: whom the line names in the network's own way, where there is such a one. `now` in ms."""
        bare = _BARE.get(command.verb)
        if bare is not None:
            return Amiss("bare") if command.argument else Order(bare(operator))
        if command.verb is Verb.HOLD:
            return self._hold(command, operator, session, now)
        if command.verb is Verb.RESOLVE:
            return self._resolve(command, operator)
        if command.verb is Verb.TRANSFER:
            return self._transfer(command, operator, session, mentioned)
        raise AssertionError(f"{command.verb} is not about a session, or is words: whoever asks has looked")

    def _hold(self, command: Command, operator: OperatorId, session: Session, now: int) -> Order | Amiss:
        at = until(command.argument, now, self.zone(session.desk))
        return Amiss("no_time") if at is None else Order(i.OperatorHeld(operator, at), {"time": at})

    def _resolve(self, command: Command, operator: OperatorId) -> Order | Amiss:
        outcome = self.outcomes.get(command.argument) if command.argument else Outcome.SOLVED
        if outcome is None:
            return Amiss("no_outcome")
        return Order(i.OperatorResolved(operator, outcome), {"outcome": outcome})

    def _transfer(
        self, command: Command, operator: OperatorId, session: Session, mentioned: OperatorId | None
    ) -> Order | Amiss:
        """`desk`, `desk @operator` or `@operator`, who then gets it at the desk where it is."""
        place, at, person = command.argument.partition("@")
        if not at:
            place, at, person = command.argument.partition("＠")
        to = mentioned or (self._person(person) if at else None)
        if at and to is None:
            return Amiss("no_colleague")
        desk = named(place, self._names()) if place.strip() else session.desk if to else None
        if desk is None:
            return Amiss("no_desk")
        return Order(i.OperatorTransferred(operator, desk, to), {"desk": desk})

    def _names(self) -> dict[DeskId, tuple[str, ...]]:
        titles = self._titles()
        return {one: (one, *titles.get(one, {}).values()) for one in self._desks()}

    def _person(self, name: str) -> OperatorId | None:
        """By account or public name."""
        known = {one.id: (one.account, *one.names.values()) for one in self._directory.all() if one.active}
        for operator, profile in self._directory.profiles().items():
            known[operator] = (*known.get(operator, ()), operator, *profile.names.values())
        return named(name, known)
