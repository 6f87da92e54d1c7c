"""Which language a session is in, and what follows when the customer writes in another one.

The customer's choice goes first, then the widget's locale; what they write is only ever a reason to *offer* the
switch, once for each language, and never to move anybody silently.
"""

from __future__ import annotations

from routing import facts as f
from routing import inputs as i
from routing.case import Case
from routing.facts import Actor, Side, Why
from routing.session import State
from routing.transfer import move


def same_language(one: str, other: str) -> bool:
    """`zh-Hans` and `zh-Hant` are one language in two scripts: the same desk, and no reason to ask."""
    return one.split("-")[0] == other.split("-")[0]


def is_served(case: Case, language: str) -> bool:
    """Whether somebody could answer in it, themselves or through a machine. Else the offer would lead nowhere."""
    return case.policy.translates or case.policy.desk_for(language, case.open.topic).speaks(language)


# ------------------------------------------------------------------ rules


def detect_language(case: Case, event: i.LanguageDetected) -> None:
    session = case.open
    known = session.spoken(event.message)
    if known is None or known.side is not Side.CUSTOMER or known.withdrawn:
        return
    spared = (session.language, *session.offered_languages)
    if any(same_language(event.language, one) for one in spared) or not is_served(case, event.language):
        return
    case.record(f.LanguageOffered, Actor.BRIDGE, language=event.language)


def choose_language(case: Case, event: i.CustomerChoseLanguage) -> None:
    """The desk that speaks it takes over, with the history, and both desks are told; else it stays where it is."""
    session, before = case.open, case.open.mirror
    if event.language == session.language:
        return
    case.record(f.LanguageChanged, Actor.CUSTOMER, language=event.language)
    case.say("language_changed", language=event.language)
    target = case.policy.desk_for(event.language, session.topic)
    if session.state is State.RESOLVED or case.desk.speaks(event.language) or not target.speaks(event.language):
        return
    move(case, target, Actor.CUSTOMER, Why.LANGUAGE)
    if case.open.mirror != before:
        case.say("language_changed", language=event.language)
