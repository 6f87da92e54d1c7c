"""Machine translation, as the rules see it: what is asked for, kept beside its original, and taken back with it.

A translation never takes the original's place and never delays it: it is an effect of its own, on a lane of its own,
and comes back as an input. Notes are never asked for, so no translator ever reads one.
"""

from __future__ import annotations

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.case import Case
from routing.effects import TRANSLATION
from routing.facts import Actor, Side
from routing.ids import MessageId
from routing.policy import Desk
from routing.session import Session, Spoken


def language_for_operators(session: Session, desk: Desk) -> str | None:
    """What the customer's words are translated into; None where the desk speaks their language."""
    return None if desk.speaks(session.language) else desk.languages[0]


def ask_for(case: Case, message: MessageId) -> None:
    """Have the other side's language made of a message, where there is a translator and the two differ."""
    spoken, wanted = case.open.spoken(message), language_for_operators(case.open, case.desk)
    if not case.policy.translates or wanted is None or spoken is None or not _may_leave(spoken):
        return
    language = wanted if spoken.side is Side.CUSTOMER else case.open.language
    made = {"message": message, "revision": spoken.revision, "language": language}
    case.ask_beyond(e.TranslateMessage, TRANSLATION, **made)


def catch_up(case: Case) -> None:
    """Another desk has it now: what the customer is still waiting to hear about must be read there, too."""
    since = case.open.waiting_since
    if since is None:
        return
    for spoken in case.open.recent:
        if spoken.side is Side.CUSTOMER and spoken.at >= since and not _is_there(spoken, case):
            ask_for(case, spoken.message)


def withdraw(case: Case, spoken: Spoken) -> None:
    """Words that are taken back are taken back in every language."""
    if spoken.translation:
        case.ask(e.WithdrawTranslation, message=spoken.message, language=spoken.translation)


def _may_leave(spoken: Spoken) -> bool:
    return spoken.side is not Side.NOTE and not spoken.withdrawn


def _is_there(spoken: Spoken, case: Case) -> bool:
    return spoken.translation == language_for_operators(case.open, case.desk)


# ------------------------------------------------------------------ rules


def translated(case: Case, event: i.MessageTranslated) -> None:
    spoken = _still_said(case, event)
    if spoken is None:
        return
    made = {"message": event.message, "revision": event.revision, "language": event.language}
    case.record(f.TranslationAdded, Actor.BRIDGE, side=spoken.side, **made)
    case.ask(e.PostTranslation, **made)


def not_translated(case: Case, event: i.MessageNotTranslated) -> None:
    """The desk is told at the first of several in a row: each message says of itself that it has none."""
    spoken, told = _still_said(case, event), case.open.untranslated
    if spoken is None:
        return
    missed = {"message": event.message, "revision": event.revision, "language": event.language}
    case.record(f.TranslationMissed, Actor.BRIDGE, side=spoken.side, why=event.why, **missed)
    if not told or event.why is i.Untranslated.ALTERED:
        case.say(f"untranslated_{event.why}")


def _still_said(case: Case, event: i.MessageTranslated | i.MessageNotTranslated) -> Spoken | None:
    """The message, unless it says something else by now, or never was for anybody outside the desk."""
    spoken = case.open.spoken(event.message)
    if spoken is None or spoken.revision != event.revision or not _may_leave(spoken):
        return None
    return spoken
