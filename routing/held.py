"""Held words: what was written in a thread and may become a reply, which nobody has said yet.

They wait in `Session.pending`, where nothing that shows words to a customer looks. Those of somebody who is not
enrolled wait until an operator sends them, under their own name, or keeps them inside. Those of an operator whose desk
allows to undo wait for some seconds and leave by themselves. Whatever is not sent ends as a note, so that the thread
and the record agree; what its author deletes is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from routing import answering
from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.case import Case, RefusedError
from routing.facts import Actor, Held, Inside, Mirror, Side
from routing.ids import OperatorId, sent_id
from routing.session import Pending, Reason
from routing.words import ask_to_post

UNKNOWN_AT_MOST = 8
"""Words of people who are not enrolled that wait in one session; it bounds the snapshot."""

UNDOABLE_AT_MOST = 8
"""Replies that can be undone at once; with one more the oldest leaves early."""


def hold_unknown(case: Case, event: i.OperatorWrote) -> None:
    """A person must say: whoever wrote is not enrolled."""
    if sum(one.until is None for one in case.open.pending) >= UNKNOWN_AT_MOST:
        raise RefusedError(Reason.TOO_MANY_HELD)
    _hold(case, event, Held.UNKNOWN, None)


def hold_for_undo(case: Case, event: i.OperatorWrote) -> None:
    """They leave by themselves, and until then can be taken back."""
    undoable = _undoable(case)
    if len(undoable) >= UNDOABLE_AT_MOST:
        _leave(case, undoable[0], Actor.BRIDGE)
    _hold(case, event, Held.UNDO, case.now + case.desk.undo)


def _hold(case: Case, event: i.OperatorWrote, why: Held, until: int | None) -> None:
    words = {"message": event.message, "operator": event.operator, "author": event.author}
    case.record(f.WordsHeld, Actor.OPERATOR, mirror=event.origin.mirror, why=why, until=until, **words)
    _apply_kept(case, event)
    if (held := case.open.held(event.message)) is not None:
        case.ask(e.AskAboutHeld, _mirror(case, held), message=held.message)


def _apply_kept(case: Case, event: i.OperatorWrote) -> None:
    """An edit or a withdrawal that overtook the words is applied to them."""
    for kept in case.open.early:
        held = case.open.held(event.message)
        if held is None or kept.message != held.message or kept.by != held.by:
            continue
        if kept.revision is None:
            case.record(f.HeldWordsWithdrawn, Actor.OPERATOR, message=held.message)
        elif kept.revision > held.revision:
            case.record(f.HeldWordsRevised, Actor.OPERATOR, message=held.message, revision=kept.revision)


# ------------------------------------------------------------------ how they end


def leave_undoable(case: Case, operator: OperatorId | None = None) -> None:
    """What can still be undone leaves now: something comes after it that the customer must not hear first."""
    for held in _undoable(case, operator):
        _leave(case, held, Actor.BRIDGE)


def fall(case: Case) -> None:
    """The time to undo is over."""
    for held in _undoable(case):
        if held.until is not None and held.until <= case.now:
            _leave(case, held, Actor.BRIDGE)


def move_on(case: Case, target: Mirror) -> None:
    """The session goes on elsewhere. What nobody has sent stays behind, as a note that goes along as history."""
    leave_undoable(case)
    if target != case.open.mirror:
        for held in case.open.pending:
            _keep(case, held, Inside.MOVED, Actor.BRIDGE)


def end(case: Case) -> None:
    """The session closes: nothing can leave any more, and whoever thought that it would is told."""
    unsent = _undoable(case)
    for held in case.open.pending:
        _keep(case, held, Inside.ENDED, Actor.BRIDGE)
    if unsent:
        case.say("unsent")


def _undoable(case: Case, operator: OperatorId | None = None) -> Sequence[Pending]:
    """Oldest first."""
    return [one for one in case.open.pending if one.until is not None and operator in (None, one.operator)]


def _leave(case: Case, held: Pending, actor: Actor, sender: OperatorId | None = None) -> None:
    operator = sender or held.operator
    if operator is None:
        raise AssertionError("words of nobody who is known leave by a sender's name only")
    said = i.OperatorReplied(held.message, operator, i.Origin(held.mirror))
    answering.reply(case, said, actor, revision=held.revision)
    _end_line(case, held, "held_sent" if sender else "", operator)


def _keep(case: Case, held: Pending, inside: Inside | None, actor: Actor) -> None:
    author = OperatorId(held.by)
    words = {"message": held.message, "operator": author, "mirror": held.mirror}
    case.record(f.NoteAdded, actor, revision=held.revision, inside=inside, held=case.holds_back, **words)
    if held.mirror is None:  # no thread shows them yet
        ask_to_post(case, held.message, Side.NOTE, author)
    _end_line(case, held, "held_kept" if held.operator is None else "")


def _end_line(case: Case, held: Pending, key: str, operator: OperatorId | None = None) -> None:
    case.ask(e.EndHeld, _mirror(case, held), message=held.message, key=key, operator=operator)


def _mirror(case: Case, held: Pending) -> Mirror:
    """Where they were written."""
    return next((one for one in case.open.mirrors if one.number == held.mirror), case.open.mirror)


# ------------------------------------------------------------------ rules


def send(case: Case, event: i.OperatorSent) -> None:
    held = case.open.held(event.message)
    if held is None:
        _send_note(case, event)
    elif held.operator is None:
        _refuse_moved(case, held.mirror)
        answering.claim_unless_taken(case, event.operator)
        _leave(case, held, Actor.OPERATOR, event.operator)
    else:
        _send_now(case, held, event.operator)


def _send_now(case: Case, held: Pending, operator: OperatorId) -> None:
    """With whatever they wrote before it, which must not come after it."""
    if held.operator != operator:
        raise RefusedError(Reason.NOT_AUTHOR)
    answering.claim_unless_taken(case, operator)
    mine = _undoable(case, operator)
    for one in mine[: mine.index(held) + 1]:
        _leave(case, one, Actor.OPERATOR)


def _send_note(case: Case, event: i.OperatorSent) -> None:
    """The note stays what it is. A reply with its words is added, and shown in the thread as one."""
    spoken, reply = case.open.spoken(event.message), sent_id(event.message)
    if case.open.spoken(reply) is not None or (spoken is not None and spoken.side is Side.REPLY):
        raise RefusedError(Reason.SENT_ALREADY)
    if spoken is None or spoken.side is not Side.NOTE or spoken.withdrawn:
        raise RefusedError(Reason.NOTHING_TO_SEND)
    _refuse_moved(case, spoken.mirror)
    answering.claim_unless_taken(case, event.operator)
    said = i.OperatorReplied(reply, event.operator)
    answering.reply(case, said, note=event.message, wording=spoken.revision, held=spoken.held)


def _refuse_moved(case: Case, mirror: int | None) -> None:
    if mirror is not None and mirror != case.open.mirror.number:
        raise RefusedError(Reason.MOVED)


def undo(case: Case, event: i.OperatorUndid) -> None:
    held, spoken = case.open.held(event.message), case.open.spoken(event.message)
    if held is None and spoken is not None and spoken.side is Side.NOTE:
        return
    if held is None:
        raise RefusedError(Reason.SENT_ALREADY if spoken is not None else Reason.NOTHING_TO_SEND)
    if held.operator not in (None, event.operator):
        raise RefusedError(Reason.NOT_AUTHOR)
    _keep(case, held, Inside.KEPT if held.operator is None else Inside.UNDONE, Actor.OPERATOR)


def revise(case: Case, held: Pending, event: i.OperatorRevised) -> None:
    """What will leave are the words as they stand then; what begins as a note or with a colleague now never leaves."""
    if held.by != event.operator:
        raise RefusedError(Reason.NOT_AUTHOR)
    if event.revision <= held.revision:
        return
    case.record(f.HeldWordsRevised, Actor.OPERATOR, message=held.message, revision=event.revision)
    if event.manner in i.INSIDE:
        _keep(case, replace(held, revision=event.revision), None, Actor.OPERATOR)
    elif held.mirror is None:  # the line below says them, since no thread does
        case.ask(e.AskAboutHeld, _mirror(case, held), message=held.message)


def withdraw(case: Case, held: Pending, event: i.OperatorWithdrew) -> None:
    if held.by != event.operator:
        raise RefusedError(Reason.NOT_AUTHOR)
    case.record(f.HeldWordsWithdrawn, Actor.OPERATOR, message=held.message)
    _end_line(case, held, "")
