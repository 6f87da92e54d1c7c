"""A face: how the roster and the commands are told to an operator, in their language, whichever network draws it.

Words here are plain; what is a time, a name or a link, and what must be escaped, the network knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.messages import one_line
from bridge.networks.card import Title, Wording
from bridge.networks.commands import RESULTS, Verb, spoken
from bridge.networks.roster import Day, Queue, Row, Sheet
from routing.availability import Standing
from routing.figures import Figures
from routing.ids import DeskId, ThreadRef
from routing.policy import HOUR, MINUTE
from routing.session import State, TurnOf

DESKS = 20
"""Desks shown with who waits there, the longest lines first."""

NAME_LIMIT, TITLE_LIMIT = 40, 40

SOUGHT = 60
"""Characters of what was sought, or mistyped, when it is said back."""


@dataclass(frozen=True, slots=True)
class Face:
    """In whose language, and by which names. `link` gives a thread's address, `place` a desk's channel or nothing."""

    wording: Wording
    language: str
    title: Title
    desk: Callable[[DeskId, str], str]
    link: Callable[[ThreadRef], str]
    place: Callable[[DeskId], str]

    def say(self, key: str, /, **words: str) -> str:
        return self.wording(self.language, key, **words)

    def desk_name(self, desk: DeskId) -> str:
        return one_line(self.desk(desk, self.language), TITLE_LIMIT)

    # ------------------------------------------------------------------ commands

    def word(self, verb: Verb) -> str:
        """What a command is called in the reader's language."""
        return next(iter(spoken(self.say(f"command.{verb}"))), verb)

    def outcome(self, one: str) -> str:
        """What an outcome is called, where it is typed and where it is told."""
        return next(iter(spoken(self.say(f"command.outcome.{one}"))), one)

    def known(self, slash: str, desks: Sequence[DeskId]) -> dict[str, str]:
        """What the explanations of commands name."""
        outcomes = ", ".join(map(self.outcome, RESULTS))
        return {"outcomes": outcomes, "desks": ", ".join(map(self.desk_name, desks[:DESKS])), "slash": slash}

    def nearest(self, words: Sequence[str], sign: str) -> str:
        """Where to go on from a word that is no command."""
        named = ", ".join(f"{sign}{one}" for one in words)
        key = "command.nearest" if named else "command.nearest.none"
        return self.say(key, words=named, help=f"{sign}{self.word(Verb.HELP)}")

    # ------------------------------------------------------------------ the roster

    def languages(self, sheet: Sheet) -> str:
        return self.say("home.languages", languages=", ".join(sheet.languages) or self.say("home.languages.any"))

    def head(self, queue: Queue) -> str:
        """Above who waits at a desk."""
        name = self.desk_name(queue.desk)
        return self.say("home.queue", desk=f"{name} ({queue.count})" if queue.count else name)

    def about(self, row: Row) -> tuple[str, ...]:
        """Whom a session is with, and about what."""
        name = one_line(row.name, NAME_LIMIT) or self.say("customer.unnamed")
        topic = one_line(self.title(row.topic, self.language), TITLE_LIMIT)
        return tuple(one for one in (name, row.language, topic) if one)

    def day(self, day: Day, sheet: Sheet) -> str:
        """A desk's figures since its midnight."""
        of, waiting = day.figures, next((queue.count for queue in sheet.queues if queue.desk == day.desk), 0)
        counts = {"opened": of.opened, "answered": of.answered, "resolved": of.resolved, "waiting": waiting}
        told = self.say("home.figures", **{name: str(count) for name, count in counts.items()})
        return f"{told}{self._beside(of, day.promises)}"

    def own(self, sheet: Sheet) -> str:
        """The figures of whoever looks."""
        counts = {"answered": sheet.done.answered, "resolved": sheet.done.resolved, "held": sheet.held}
        told = self.say("home.figures.mine", **{name: str(count) for name, count in counts.items()})
        return f"{told}{self._beside(sheet.done, any(day.promises for day in sheet.days))}"

    def _beside(self, of: Figures, promises: bool) -> str:
        """How soon, where somebody was answered at all."""
        told = ""
        if of.answered and promises:
            told += f" · {self.say('home.kept', kept=str(of.kept), promised=str(of.answered))}"
        if of.median is not None:
            told += f" · {self.say('home.median', time=self.span(of.median))}"
        return told

    def span(self, ms: int) -> str:
        """A duration as people say it."""
        if ms < MINUTE:
            return self.say("home.minutes.under")
        hours, minutes = divmod(round(ms / MINUTE), HOUR // MINUTE)
        if not hours:
            return self.say("home.minutes", minutes=str(minutes))
        return self.say("home.hours", hours=str(hours), minutes=str(minutes))


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that is said of a session, or of whoever looks: by key, with the time that is in it, if any."""

    key: str
    at: int | None = None
    strong: bool = False
    words: Mapping[str, str] = field(default_factory=dict)


def stands(how: Standing) -> Iterator[Mark]:
    """How an operator stands, why, and until when."""
    yield Mark("home.on" if how.on else "home.off", strong=True)
    yield Mark(f"home.because.{how.because}")
    if how.until is not None:
        yield Mark("home.until", how.until)
    if how.hands_back_at is not None:
        yield Mark("home.hands_back", how.hands_back_at)


def marks(row: Row) -> Iterator[Mark]:
    """What is said of a session in its line, behind whom it is with."""
    if row.offered:
        yield Mark("home.offered", strong=True)
    if row.state in (State.RESOLVED, State.CLOSED):
        yield Mark(f"state.{row.state}")
    elif row.turn is TurnOf.HELD and row.until is not None:
        yield Mark("home.turn.held", row.until)
    elif row.waiting_since is not None:
        yield Mark("home.since", row.waiting_since)
    elif row.state is State.ASSIGNED:
        yield Mark(f"home.turn.{row.turn}")
    if row.urgency:
        yield Mark(f"home.{row.urgency}", strong=True)
    if row.unreached:
        yield Mark("home.unreached")
    if row.setback is not None:
        key = "home.uncertain" if row.setback.uncertain else "home.held_up"
        yield Mark(key, strong=True, words={"code": row.setback.code})


def longest(sheet: Sheet, most: int) -> list[Queue]:
    """Those with the longest lines where there are very many, in the policy's order."""
    kept = sorted(sheet.queues, key=lambda one: -one.count)[:most]
    return [queue for queue in sheet.queues if queue in kept]
