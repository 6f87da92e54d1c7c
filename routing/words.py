"""Words: posting them on the other side, editing them, taking them back. By the author only, and for a while only."""

from __future__ import annotations

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing import translation
from routing.case import Case, RefusedError
from routing.effects import Effect
from routing.facts import Actor, Side
from routing.ids import MessageId, OperatorId
from routing.session import Reason, Spoken


def mirror_words(case: Case, event: i.OperatorReplied | i.OperatorNoted, side: Side) -> None:
    apply_kept(case, event.message, event.operator)
    if event.origin.mirror != case.open.mirror.number:  # else it was written in that thread
        ask_to_post(case, event.message, side, event.operator)
    translation.ask_for(case, event.message)


def ask_to_post(case: Case, message: MessageId, side: Side, operator: OperatorId | None) -> None:
    spoken = case.open.spoken(message)
    if spoken is not None and not spoken.withdrawn:
        about = {"message": message, "revision": spoken.revision, "side": side, "held": spoken.held}
        case.ask(e.PostMessage, operator=operator, **about)


# ------------------------------------------------------------------ rules


def revise(case: Case, event: i.CustomerRevised | i.OperatorRevised) -> None:
    spoken = _own_words(case, event)
    if spoken is None:
        _keep(case, event, event.revision)
        return
    if event.revision <= spoken.revision or spoken.withdrawn:
        return  # a newer revision, or the withdrawal, came first
    case.record(f.MessageRevised, _author(event), message=event.message, revision=event.revision, side=spoken.side)
    _in_other_mirrors(case, spoken, e.ReviseMessage, revision=event.revision, held=spoken.held)
    _change_quotes(case, event)
    translation.ask_for(case, event.message)


def withdraw(case: Case, event: i.CustomerWithdrew | i.OperatorWithdrew) -> None:
    spoken = _own_words(case, event)
    if spoken is None:
        _keep(case, event, None)
        return
    if spoken.withdrawn:
        return
    case.record(f.MessageWithdrawn, _author(event), message=event.message, side=spoken.side)
    _in_other_mirrors(case, spoken, e.WithdrawMessage)
    if spoken.side is Side.REPLY:
        _where_it_was_written(case, spoken)
    _change_quotes(case, event)
    translation.withdraw(case, spoken)


def _change_quotes(case: Case, event: _Edit) -> None:
    """What quotes the message says what is left of it, wherever it may stand. Held words are told when they leave."""
    for message in event.quoted_in if isinstance(event, i.CustomerRevised | i.CustomerWithdrew) else ():
        quoting = case.open.spoken(message)
        if quoting is None or quoting.withdrawn:
            continue
        about = {"message": message, "revision": quoting.revision, "side": quoting.side}
        case.record(f.QuoteChanged, Actor.CUSTOMER, **about)
        _in_other_mirrors(case, quoting, e.ReviseMessage, revision=quoting.revision, held=quoting.held)


def _where_it_was_written(case: Case, spoken: Spoken) -> None:
    """It may go on standing there: a bot cannot delete what a person has written, and they may have taken it back at
    the desk page. Whether it does, the network knows."""
    mirror = next((one for one in case.open.mirrors if one.number == spoken.mirror), None)
    if mirror is not None:
        case.ask(e.WithdrawMessage, mirror, message=spoken.message, side=spoken.side)


def _in_other_mirrors(case: Case, spoken: Spoken, kind: type[Effect], **fields: int) -> None:
    """Wherever it may stand, former mirrors too; the thread where it was written shows it already."""
    for mirror in case.open.mirrors:
        if mirror.number != spoken.mirror:
            case.ask(kind, mirror, message=spoken.message, side=spoken.side, **fields)


DOUBTED_EVERY = 60_000
"""ms. Many deletions at once are one thing to say."""


def ignore_deletion(case: Case, event: i.DeletionDoubted) -> None:
    """Whoever deleted it, the customer keeps what the author told them. Old words need no word about them."""
    spoken, before = case.open.spoken(event.message), case.open.doubted_at
    if spoken is None or spoken.withdrawn:
        return
    if not event.unheard and case.now - spoken.at > case.policy.revise_within:
        return
    case.record(f.DeletionIgnored, Actor.BRIDGE, message=event.message)
    if before is None or case.now - before > DOUBTED_EVERY:
        case.say("deletion_ignored")


_Edit = i.CustomerRevised | i.CustomerWithdrew | i.OperatorRevised | i.OperatorWithdrew


def _own_words(case: Case, event: _Edit) -> Spoken | None:
    """The message, or None when it has not arrived yet. Raises for somebody else's words, or old ones."""
    spoken = case.open.spoken(event.message)
    if spoken is None and event.committed:
        raise RefusedError(Reason.TOO_LATE)
    if spoken is None:
        return None
    if spoken.by != _by(event):
        raise RefusedError(Reason.NOT_AUTHOR)
    if case.now - spoken.at > case.policy.revise_within:
        raise RefusedError(Reason.TOO_LATE)
    return spoken


def _keep(case: Case, event: _Edit, revision: int | None) -> None:
    """An edit or a withdrawal that overtook its message waits for it."""
    case.record(f.EditKept, _author(event), message=event.message, by=_by(event), revision=revision)


def apply_kept(case: Case, message: MessageId, by: str) -> None:
    """The message is here now: what had overtaken it is applied."""
    actor = Actor.OPERATOR if by else Actor.CUSTOMER
    for kept in [one for one in case.open.early if one.message == message and one.by == by]:
        spoken = case.open.spoken(message)
        if spoken is None:
            raise AssertionError("called right after the message was recorded")
        if spoken.withdrawn:
            return  # what was taken back is not brought up again by an older edit
        if kept.revision is None:
            case.record(f.MessageWithdrawn, actor, message=message, side=spoken.side)
        elif kept.revision > spoken.revision:
            case.record(f.MessageRevised, actor, message=message, revision=kept.revision, side=spoken.side)


def _by(event: _Edit) -> str:
    return event.operator if isinstance(event, i.OperatorRevised | i.OperatorWithdrew) else ""


def _author(event: _Edit) -> Actor:
    return Actor.OPERATOR if isinstance(event, i.OperatorRevised | i.OperatorWithdrew) else Actor.CUSTOMER
