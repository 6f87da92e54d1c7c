"""One decision in the making: what the rules in `decide` and beside it write their facts and effects into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from routing import effects as e
from routing import sla
from routing.effects import Effect
from routing.facts import Actor, Fact, Mirror
from routing.fold import fold
from routing.ids import DeskId, EffectId, InputKey, NetworkName, Place, effect_id
from routing.policy import Desk, Policy
from routing.session import Reason, Session


class RefusedError(Exception):
    """Raised by a rule: nothing is recorded, and whoever asked is told why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Case:
    """Facts are folded as they are found, so a rule sees what it has just decided."""

    session: Session | None
    key: InputKey
    now: int
    policy: Policy
    berths: Mapping[DeskId, Place] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.session is not None:
            self.now = max(self.now, self.session.last_at)  # fact times never decrease

    @property
    def open(self) -> Session:
        if self.session is None:
            raise AssertionError("the table gives only `open` to the state NEW")
        return self.session

    @property
    def desk(self) -> Desk:
        """The desk whose rules hold for the session now."""
        session = self.open
        return self.policy.desk_of(session.desk, session.language, session.topic)

    def berth(self, desk: Desk) -> Place:
        """Where a session that comes to this desk goes: as whoever counts them says, else to its first place."""
        chosen = self.berths.get(desk.id, desk.place)
        return chosen if chosen in desk.places else desk.place

    @property
    def holds_back(self) -> bool:
        """Whether the files of what is said now stay with us."""
        return self.policy.holds_back(self.desk, self.open.topic)

    def worked(self) -> int:
        """What the turn that ends now adds to the resolution's account."""
        return sla.worked(self.open, self.desk, self.policy, self.now)

    def record(self, kind: type[Fact], actor: Actor, /, **fields: Any) -> None:
        session = self.session
        about: dict[str, Any] = {} if session is None else {"desk": session.desk, "topic": session.topic}
        about.update(fields)
        fact = kind(at=self.now, actor=actor, cause=self.key, **about)
        self.facts.append(fact)
        self.session = fold((fact,), self.session)

    def ask(self, kind: type[Effect], mirror: Mirror | None = None, /, **fields: Any) -> None:
        """Ask for an effect on a mirror, by default on the one where the session lives now."""
        mirror = mirror or self.open.mirror
        self._ask(kind, mirror.network, mirror.number, fields)

    def ask_beyond(self, kind: type[Effect], to: NetworkName, /, **fields: Any) -> None:
        """Ask for an effect at a destination where no mirror is: a pager, a translator."""
        self._ask(kind, to, 0, fields)

    def say(self, key: str, mirror: Mirror | None = None, **words: str) -> None:
        """One of the bridge's own lines in the thread."""
        self.ask(e.PostLine, mirror, key=key, words=words)

    def name(self, kind: str) -> EffectId:
        """A name that this input gives the same thing on every retry, and no other input ever does."""
        return effect_id(self.open.id, self.key, kind, 0)

    def _ask(self, kind: type[Effect], to: NetworkName, mirror: int, fields: dict[str, Any]) -> None:
        name = effect_id(self.open.id, self.key, f"{kind.__name__}/{mirror}", len(self.effects))
        self.effects.append(kind(id=name, to=to, mirror=mirror, **fields))
