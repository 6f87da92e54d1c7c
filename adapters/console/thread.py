"""A session as an operator reads it: facts become lines, notes among them.

This is the operators' counterpart of `routing.view`, and much wider: nothing here is ever sent to a customer. Lines
carry keys and ids; the wording is in the page's locale files, the words of messages are put in from their bodies.

A reply has a delivery state. "Reached" and "seen" hold for all replies up to the one that the fact names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatch

from bridge.ports import Entry
from routing import facts as f
from routing.facts import Fact, Side, Why
from routing.ids import MessageId
from routing.inputs import FOR_GOOD
from routing.session import Presence, Session


@dataclass(frozen=True, slots=True)
class Said:
    """A message in the thread. `delivery` is of replies only: queued, reached, seen or undelivered.

    `translation` is the language of the machine's words that stand beside this revision, `untranslated` why there are
    none although somebody needs them; both empty where nothing was asked for, or is still to come. `former` are the
    customer's earlier revisions, `reactions` pairs of who (empty: the customer) and what.
    """

    index: int
    at: int
    side: Side
    message: MessageId
    by: str = ""
    revision: int = 0
    withdrawn: bool = False
    delivery: str | None = None
    translation: str = ""
    untranslated: str = ""
    former: tuple[int, ...] = ()
    reactions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A line about the session. `operator` is who did it or whom it concerns, `words` fill its placeholders."""

    index: int
    at: int
    key: str
    operator: str = ""
    words: dict[str, str | int] = field(default_factory=dict)


Line = Said | Told


@dataclass(slots=True)
class _Page:
    """The thread in the making."""

    lines: list[Line] = field(default_factory=list)
    where: dict[MessageId, int] = field(default_factory=dict)
    replies: list[MessageId] = field(default_factory=list)
    reached: int = 0  # how many of the replies are on the customer's device
    seen: int = 0
    unreached: bool = False  # a reply was said not to have reached the customer

    def say(self, said: Said) -> None:
        self.where[said.message] = len(self.lines)
        self.lines.append(said)
        if said.side is Side.REPLY:
            self.replies.append(said.message)

    def tell(self, index: int, fact: Fact, key: str, operator: str | None = "", **words: str | int) -> None:
        self.lines.append(Told(index, fact.at, key, operator or "", words))

    def change(self, message: MessageId, *, revision: int | None = None, withdrawn: bool = False) -> None:
        place = self.where.get(message)
        said = self.lines[place] if place is not None else None
        if place is None or not isinstance(said, Said):
            return
        if revision is not None:
            former = (*said.former, said.revision) if said.side is Side.CUSTOMER else ()
            said = replace(said, revision=revision, translation="", untranslated="", former=former)
        self.lines[place] = replace(said, withdrawn=said.withdrawn or withdrawn)

    def react(self, fact: f.ReactionAdded | f.ReactionRemoved) -> None:
        place = self.where.get(fact.message)
        said = self.lines[place] if place is not None else None
        if place is None or not isinstance(said, Said):
            return
        one = (fact.by, fact.reaction)
        others = tuple(each for each in said.reactions if each != one)
        on = isinstance(fact, f.ReactionAdded)
        self.lines[place] = replace(said, reactions=(*others, one) if on else others)

    def translate(self, fact: f.TranslationAdded | f.TranslationMissed) -> None:
        """Of another revision than the one that stands here it says nothing."""
        place = self.where.get(fact.message)
        said = self.lines[place] if place is not None else None
        if place is None or not isinstance(said, Said) or said.revision != fact.revision:
            return
        if isinstance(fact, f.TranslationAdded):
            self.lines[place] = replace(said, translation=fact.language, untranslated="")
        else:
            self.lines[place] = replace(said, untranslated=fact.why)

    def up_to(self, message: MessageId) -> int:
        return self.replies.index(message) + 1 if message in self.replies else 0


def lines_of(entries: Iterable[Entry], session: Session) -> tuple[Line, ...]:
    """The thread's lines, oldest first. `session` is the fold of the same entries."""
    page = _Page()
    for entry in entries:
        _write(entry.fact, page, entry.index)
    states = dict(_deliveries(page, session))
    return tuple(
        replace(line, delivery=states[line.message]) if isinstance(line, Said) and line.message in states else line
        for line in page.lines
    )


def _deliveries(page: _Page, session: Session) -> Iterable[tuple[MessageId, str]]:
    waiting = "queued" if session.presence is Presence.HERE else "undelivered"
    for number, message in enumerate(page.replies):
        yield message, "seen" if number < page.seen else "reached" if number < page.reached else waiting


@singledispatch
def _write(fact: Fact, page: _Page, index: int) -> None:
    """A fact that has nothing to show: a newer release's, or one that is told by the one beside it."""
    del fact, page, index


@_write.register
def _(fact: f.SessionOpened, page: _Page, index: int) -> None:
    page.tell(index, fact, "opened", topic=fact.topic, desk=fact.desk)


@_write.register
def _(fact: f.CustomerMessageAdded, page: _Page, index: int) -> None:
    page.say(Said(index, fact.at, Side.CUSTOMER, fact.message))


@_write.register
def _(fact: f.ReplyAdded, page: _Page, index: int) -> None:
    page.say(Said(index, fact.at, Side.REPLY, fact.message, fact.operator, fact.revision))


@_write.register
def _(fact: f.NoteAdded, page: _Page, index: int) -> None:
    page.say(Said(index, fact.at, Side.NOTE, fact.message, fact.operator, fact.revision))


@_write.register
def _(fact: f.WordsHeld, page: _Page, index: int) -> None:
    """Of words that leave in a moment by themselves there is nothing to say."""
    if fact.until is None:
        page.tell(index, fact, "words_held", author=fact.author)


@_write.register
def _(fact: f.HeldWordsRevised, page: _Page, index: int) -> None:
    """What they say is read when they have become a reply or a note."""
    del fact, page, index


@_write.register
def _(fact: f.HeldWordsWithdrawn, page: _Page, index: int) -> None:
    page.tell(index, fact, "held_words_withdrawn")


@_write.register
def _(fact: f.MessageRevised, page: _Page, index: int) -> None:
    del index
    page.change(fact.message, revision=fact.revision)


@_write.register
def _(fact: f.MessageWithdrawn, page: _Page, index: int) -> None:
    del index
    page.change(fact.message, withdrawn=True)


@_write.register
def _(fact: f.QuoteChanged, page: _Page, index: int) -> None:
    """What quotes is read as it is now; that its message was changed stands at that one."""
    del fact, page, index


@_write.register
def _(fact: f.EditKept, page: _Page, index: int) -> None:
    """The edit itself follows its message."""
    del fact, page, index


@_write.register
def _(fact: f.ReactionAdded, page: _Page, index: int) -> None:
    page.react(fact)
    if fact.told:
        page.tell(index, fact, "looking_into_it", fact.by)


@_write.register
def _(fact: f.ReactionRemoved, page: _Page, index: int) -> None:
    del index
    page.react(fact)


@_write.register
def _(fact: f.DeletionIgnored, page: _Page, index: int) -> None:
    page.tell(index, fact, "deletion_ignored")


@_write.register
def _(fact: f.OperatorAssigned, page: _Page, index: int) -> None:
    if fact.why is Why.RESOLVED:
        return  # the resolution that follows names them
    page.tell(index, fact, "given" if fact.why is Why.TRANSFERRED else "claimed", fact.operator)


@_write.register
def _(fact: f.OperatorUnassigned, page: _Page, index: int) -> None:
    if fact.why is Why.RELEASED:
        page.tell(index, fact, "released", fact.operator)
    elif fact.why in (Why.WENT_OFF, Why.LEFT):
        page.tell(index, fact, "went_off", fact.operator)
    elif fact.why is Why.TAKEN_OVER:
        page.tell(index, fact, "out_of_reach", fact.operator)


@_write.register
def _(fact: f.OfferMade, page: _Page, index: int) -> None:
    page.tell(index, fact, "offered", fact.operator, until=fact.until)


@_write.register
def _(fact: f.OfferWithdrawn, page: _Page, index: int) -> None:
    page.tell(index, fact, "offer_ended", fact.operator)


@_write.register
def _(fact: f.HoldStarted, page: _Page, index: int) -> None:
    page.tell(index, fact, "held", fact.operator, until=fact.until)


@_write.register
def _(fact: f.HoldEnded, page: _Page, index: int) -> None:
    if fact.why is Why.LAPSED:
        page.tell(index, fact, "hold_lapsed")


@_write.register
def _(fact: f.SessionTransferred, page: _Page, index: int) -> None:
    key = "overflowed" if fact.why is Why.OVERFLOW else "moved" if fact.operator else "rerouted"
    page.tell(index, fact, key, fact.operator, from_desk=fact.from_desk, desk=fact.desk)


@_write.register
def _(fact: f.SessionResolved, page: _Page, index: int) -> None:
    if fact.operator is None:
        page.tell(index, fact, "no_answer")
    else:
        page.tell(index, fact, "resolved", fact.operator, outcome=fact.outcome)


@_write.register
def _(fact: f.CustomerBlocked, page: _Page, index: int) -> None:
    key = "blocked_for_good" if fact.until == FOR_GOOD else "blocked"
    page.tell(index, fact, key, fact.operator, until=fact.until)


@_write.register
def _(fact: f.CustomerUnblocked, page: _Page, index: int) -> None:
    page.tell(index, fact, "unblocked", fact.operator)


@_write.register
def _(fact: f.SessionReopened, page: _Page, index: int) -> None:
    page.tell(index, fact, "reopened")


@_write.register
def _(fact: f.SolutionConfirmed, page: _Page, index: int) -> None:
    page.tell(index, fact, "confirmed")


@_write.register
def _(fact: f.SolutionDenied, page: _Page, index: int) -> None:
    page.tell(index, fact, "denied")


@_write.register
def _(fact: f.SessionClosed, page: _Page, index: int) -> None:
    page.tell(index, fact, "ended" if fact.why is Why.ENDED else "closed", outcome=fact.outcome)


@_write.register
def _(fact: f.CustomerWentAway, page: _Page, index: int) -> None:
    page.tell(index, fact, "away")


@_write.register
def _(fact: f.CustomerCameBack, page: _Page, index: int) -> None:
    page.tell(index, fact, "back")


@_write.register
def _(fact: f.CustomerGone, page: _Page, index: int) -> None:
    page.tell(index, fact, "gone")


@_write.register
def _(fact: f.ReplyReached, page: _Page, index: int) -> None:
    if page.unreached:
        page.tell(index, fact, "reached_late")
    page.unreached = False
    page.reached = max(page.reached, page.up_to(fact.message))


@_write.register
def _(fact: f.ReplySeen, page: _Page, index: int) -> None:
    del index
    page.seen = max(page.seen, page.up_to(fact.message))


@_write.register
def _(fact: f.ReplyUnreached, page: _Page, index: int) -> None:
    page.tell(index, fact, "unreached", since=fact.since)
    page.unreached = True


@_write.register
def _(fact: f.AssigneeCalled, page: _Page, index: int) -> None:
    """A nudge in a thread elsewhere; who has the session stands on the line before."""
    del fact, page, index


@_write.register
def _(fact: f.DeskAlerted, page: _Page, index: int) -> None:
    """Likewise: the list shows what waits."""
    del fact, page, index


@_write.register
def _(fact: f.EffectWasSetAside, page: _Page, index: int) -> None:
    page.tell(index, fact, "set_aside", code=fact.code)


@_write.register
def _(fact: f.VisitorLinked, page: _Page, index: int) -> None:
    page.tell(index, fact, "linked")


@_write.register
def _(fact: f.DeskOpened, page: _Page, index: int) -> None:
    page.tell(index, fact, "desk_opened")


@_write.register
def _(fact: f.PromiseWarned, page: _Page, index: int) -> None:
    page.tell(index, fact, "promise_warned", promise=fact.promise, until=fact.due)


@_write.register
def _(fact: f.PromiseMissed, page: _Page, index: int) -> None:
    page.tell(index, fact, "promise_missed", promise=fact.promise)


@_write.register
def _(fact: f.EscalationStarted, page: _Page, index: int) -> None:
    page.tell(index, fact, "escalated", fact.operator, why=fact.why)


@_write.register
def _(fact: f.RungFired, page: _Page, index: int) -> None:
    page.tell(index, fact, "rung", fact.operator, kind=fact.kind, to=fact.to)


@_write.register
def _(fact: f.SpecialistCalled, page: _Page, index: int) -> None:
    page.tell(index, fact, "specialist_called", pager=fact.pager)


@_write.register
def _(fact: f.EscalationAcknowledged, page: _Page, index: int) -> None:
    page.tell(index, fact, "acknowledged", fact.operator)


@_write.register
def _(fact: f.AcknowledgerReminded, page: _Page, index: int) -> None:
    page.tell(index, fact, "reminded", fact.operator)


@_write.register
def _(fact: f.EscalationResumed, page: _Page, index: int) -> None:
    page.tell(index, fact, "resumed", fact.operator)


@_write.register
def _(fact: f.EscalationEnded, page: _Page, index: int) -> None:
    page.tell(index, fact, "escalation_ended")


@_write.register
def _(fact: f.ContactOffered, page: _Page, index: int) -> None:
    page.tell(index, fact, "contact_offered")


@_write.register
def _(fact: f.LanguageOffered, page: _Page, index: int) -> None:
    page.tell(index, fact, "language_offered", language=fact.language)


@_write.register
def _(fact: f.LanguageChanged, page: _Page, index: int) -> None:
    page.tell(index, fact, "language_changed", language=fact.language)


@_write.register
def _(fact: f.TranslationAdded, page: _Page, index: int) -> None:
    del index
    page.translate(fact)


@_write.register
def _(fact: f.TranslationMissed, page: _Page, index: int) -> None:
    del index
    page.translate(fact)


@_write.register
def _(fact: f.IncidentLinked, page: _Page, index: int) -> None:
    page.tell(index, fact, "incident_linked", incident=fact.incident)


@_write.register
def _(fact: f.IncidentUnlinked, page: _Page, index: int) -> None:
    page.tell(index, fact, "incident_unlinked", incident=fact.incident)


@_write.register
def _(fact: f.UpdateAdded, page: _Page, index: int) -> None:
    page.say(Said(index, fact.at, Side.REPLY, fact.message, fact.operator))


@_write.register
def _(fact: f.CheckRequested, page: _Page, index: int) -> None:
    page.tell(index, fact, "check_requested", fact.operator, until=fact.until)


@_write.register
def _(fact: f.CheckPassed, page: _Page, index: int) -> None:
    page.tell(index, fact, "check_passed", until=fact.until)


@_write.register
def _(fact: f.CheckFailed, page: _Page, index: int) -> None:
    page.tell(index, fact, "check_failed")


@_write.register
def _(fact: f.CheckExpired, page: _Page, index: int) -> None:
    page.tell(index, fact, "check_expired")


@_write.register
def _(fact: f.SessionErased, page: _Page, index: int) -> None:
    page.tell(index, fact, "erased")


@_write.register
def _(fact: f.FilePurged, page: _Page, index: int) -> None:
    page.tell(index, fact, "file_purged", fact.by, purge=fact.why)


@_write.register
def _(fact: f.DeskTookOver, page: _Page, index: int) -> None:
    page.tell(index, fact, "taken_over", network=fact.network, until=fact.since)


@_write.register
def _(fact: f.DeskHandedBack, page: _Page, index: int) -> None:
    page.tell(index, fact, "handed_back", network=fact.network)


@_write.register
def _(fact: f.MirrorMoved, page: _Page, index: int) -> None:
    """Where a network's thread stands is nothing to whoever answers here."""
    del fact, page, index


LINE_KEYS: Sequence[str] = (
    "opened",
    "given",
    "claimed",
    "released",
    "offered",
    "offer_ended",
    "held",
    "hold_lapsed",
    "looking_into_it",
    "deletion_ignored",
    "moved",
    "resolved",
    "no_answer",
    "blocked",
    "blocked_for_good",
    "unblocked",
    "reopened",
    "confirmed",
    "denied",
    "closed",
    "ended",
    "away",
    "back",
    "gone",
    "unreached",
    "reached_late",
    "set_aside",
    "linked",
    "erased",
    "desk_opened",
    "promise_warned",
    "promise_missed",
    "escalated",
    "rung",
    "specialist_called",
    "acknowledged",
    "reminded",
    "resumed",
    "escalation_ended",
    "contact_offered",
    "language_offered",
    "language_changed",
    "incident_linked",
    "incident_unlinked",
    "check_requested",
    "check_passed",
    "check_failed",
    "check_expired",
    "went_off",
    "overflowed",
    "rerouted",
    "words_held",
    "held_words_withdrawn",
    "out_of_reach",
    "file_purged",
    "taken_over",
    "handed_back",
)
"""Every key that a line may have; a test holds the locale files against it."""
