"""The table: the one place where "input X in state Y" is decided.

`decide` carries it out, a test walks every pair, and docs/session-states.md is printed from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from routing import inputs as i
from routing.session import Reason, State


@dataclass(frozen=True, slots=True)
class Accept:
    """The rule that carries the input out, and every state it may lead to."""

    rule: str
    leads_to: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Told to whoever asked, with the reason."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing to do, and nobody to tell."""

    because: str


Verdict = Accept | Refuse | Ignore

_N, _Q, _A, _R, _C = State.NEW, State.QUEUED, State.ASSIGNED, State.RESOLVED, State.CLOSED
_NONE = Refuse(Reason.NO_SESSION)
_OVER = Refuse(Reason.SESSION_CLOSED)
_NOTHING = Ignore("there is no session")
_ENDED = Ignore("the session is over")


def _row(
    new: Verdict, queued: Verdict, assigned: Verdict, resolved: Verdict, closed: Verdict
) -> Mapping[State, Verdict]:
    return {_N: new, _Q: queued, _A: assigned, _R: resolved, _C: closed}


def _stays(rule: str, new: Verdict, closed: Verdict) -> Mapping[State, Verdict]:
    """A row whose rule holds in every living state and changes none."""
    return _row(new, Accept(rule, (_Q,)), Accept(rule, (_A,)), Accept(rule, (_R,)), closed)


TABLE: Mapping[type[i.Input], Mapping[State, Verdict]] = {
    i.CustomerWrote: _row(
        Accept("open", (_Q,)),
        Accept("customer_message", (_Q,)),
        Accept("customer_message", (_A,)),
        Accept("customer_message", (_Q, _A)),
        _OVER,  # the relay then opens a new session with the same message
    ),
    i.CustomerRevised: _stays("revise", _NONE, _OVER),
    i.CustomerWithdrew: _stays("withdraw", _NONE, _OVER),
    i.CustomerReacted: _stays("customer_reacted", _NONE, _OVER),
    i.CustomerArrived: _stays("arrive", _NOTHING, _ENDED),
    i.CustomerLeft: _stays("leave", _NOTHING, _ENDED),
    i.CustomerReceived: _row(
        _NOTHING,
        Accept("receive", (_Q,)),
        Accept("receive", (_A,)),
        Accept("receive", (_R,)),
        Accept("receive", (_C,)),  # the last reply may be read after the end; the record should say so
    ),
    i.CustomerAnswered: _row(
        _NONE,
        Refuse(Reason.NOT_RESOLVED),
        Refuse(Reason.NOT_RESOLVED),
        Accept("answer", (_Q, _A, _C)),
        Ignore("the answer came after the session was closed"),
    ),
    i.CustomerEnded: _row(
        _NOTHING,
        Accept("end", (_C,)),
        Accept("end", (_C,)),
        Accept("end", (_C,)),
        Ignore("it has ended already"),
    ),
    i.CustomerLinked: _stays("link", _NOTHING, Ignore("a closed session stays with the visitor who had it")),
    i.OperatorReplied: _row(_NONE, Accept("reply", (_A,)), Accept("reply", (_A,)), Accept("reply", (_R,)), _OVER),
    i.OperatorNoted: _row(
        _NONE,
        Accept("note", (_Q,)),
        Accept("note", (_A,)),
        Accept("note", (_R,)),
        Accept("note", (_C,)),  # what was learnt afterwards belongs to the record
    ),
    i.OperatorWrote: _row(
        _NONE,
        Accept("wrote", (_Q, _A)),
        Accept("wrote", (_A,)),
        Accept("wrote", (_R,)),
        Accept("wrote_late", (_C,)),  # a note belongs to the record; anything else is refused
    ),
    i.OperatorSent: _row(_NONE, Accept("send", (_A,)), Accept("send", (_A,)), Accept("send", (_R,)), _OVER),
    i.OperatorUndid: _stays("undo", _NONE, _OVER),
    i.OperatorRevised: _stays("revise", _NONE, _OVER),
    i.OperatorWithdrew: _stays("withdraw", _NONE, _OVER),
    i.OperatorReacted: _stays("operator_reacted", _NOTHING, _ENDED),
    i.OperatorClaimed: _row(
        _NONE, Accept("claim", (_A,)), Accept("claim_assigned", (_A,)), Accept("claim_resolved", (_A,)), _OVER
    ),
    i.OperatorReleased: _row(
        _NONE, Refuse(Reason.NOT_HELD_BY_YOU), Accept("release", (_Q,)), Refuse(Reason.NOT_HELD_BY_YOU), _OVER
    ),
    i.OperatorHeld: _row(_NONE, Accept("hold", (_A,)), Accept("hold", (_A,)), Accept("hold_resolved", (_A,)), _OVER),
    i.OperatorTransferred: _row(
        _NONE,
        Accept("transfer", (_Q, _A)),
        Accept("transfer", (_Q, _A)),
        Accept("transfer_resolved", (_Q, _A)),
        _OVER,
    ),
    i.OperatorResolved: _row(
        _NONE, Accept("resolve", (_R, _C)), Accept("resolve", (_R, _C)), Ignore("it is resolved already"), _OVER
    ),
    i.OperatorBlocked: _row(
        _NONE,
        Accept("block", (_C,)),
        Accept("block", (_C,)),
        Accept("block", (_C,)),
        Accept("block_closed", (_C,)),  # what somebody is like may show afterwards
    ),
    i.OperatorUnblocked: _row(
        _NONE,
        Refuse(Reason.NOT_BLOCKED),
        Refuse(Reason.NOT_BLOCKED),
        Refuse(Reason.NOT_BLOCKED),
        Accept("unblock", (_C,)),
    ),
    i.CustomerChoseLanguage: _row(
        _NOTHING,
        Accept("choose_language", (_Q,)),
        Accept("choose_language", (_Q, _A)),
        Accept("choose_language", (_R,)),
        _ENDED,
    ),
    i.CustomerChecked: _stays("checked", _NOTHING, _ENDED),
    i.OperatorDeclined: _row(
        _NONE,
        Accept("decline", (_Q,)),
        Ignore("somebody has it already"),
        Ignore("nothing is offered"),
        _ENDED,
    ),
    i.OperatorEscalated: _row(
        _NONE,
        Accept("escalate", (_Q,)),
        Accept("escalate", (_A,)),
        Accept("escalate_resolved", (_Q, _A)),
        _OVER,
    ),
    i.OperatorAcknowledged: _row(
        _NONE,
        Accept("acknowledge", (_Q,)),
        Accept("acknowledge", (_A,)),
        Refuse(Reason.NOT_ESCALATED),
        _OVER,
    ),
    i.OperatorAskedCheck: _stays("ask_check", _NONE, _OVER),
    i.OperatorInformed: _stays("inform", _NONE, _OVER),
    i.OfferProposed: _row(
        _NOTHING,
        Accept("offer", (_Q,)),
        Ignore("somebody was faster"),
        Ignore("nothing is waiting"),
        _ENDED,
    ),
    i.OfferEnded: _row(
        _NOTHING,
        Accept("end_offer", (_Q,)),
        Ignore("somebody was faster"),
        Ignore("nothing is offered"),
        _ENDED,
    ),
    i.OperatorWentOff: _row(
        _NOTHING,
        Accept("went_off", (_Q,)),
        Accept("went_off", (_Q, _A)),
        Accept("went_off", (_R,)),
        _ENDED,
    ),
    i.PageAccepted: _row(
        _NOTHING,
        Accept("page_accepted", (_Q,)),
        Accept("page_accepted", (_A,)),
        Ignore("it was answered meanwhile"),
        _ENDED,
    ),
    i.EffectSetAside: _stays(
        "set_aside",
        _NOTHING,
        Accept("set_aside", (_C,)),  # its last words may not have been shown
    ),
    i.LanguageDetected: _stays("detect_language", _NOTHING, _ENDED),
    i.MessageTranslated: _stays("translated", _NOTHING, _ENDED),
    i.MessageNotTranslated: _stays("not_translated", _NOTHING, _ENDED),
    i.DeletionDoubted: _stays("ignore_deletion", _NOTHING, _ENDED),
    i.IncidentNamed: _stays("name_incident", _NOTHING, _ENDED),
    i.DeskRemoved: _stays("desk_removed", _NOTHING, _ENDED),
    i.DeadlineFell: _row(
        _NOTHING,
        Accept("deadline", (_Q, _R)),  # answered, handed back, and the customer is silent
        Accept("deadline", (_A, _R)),
        Accept("deadline", (_R, _C)),
        Ignore("a closed session has no timers"),
    ),
    i.ErasureOrdered: _row(
        _NOTHING,
        Accept("erase", (_C,)),
        Accept("erase", (_C,)),
        Accept("erase", (_C,)),
        Accept("erase", (_C,)),
    ),
    i.FilePurgeOrdered: _stays("purge_file", _NOTHING, Accept("purge_file", (_C,))),
    i.NetworkFellSilent: _stays("take_over", _NOTHING, _ENDED),
    i.NetworkCaughtUp: _stays("hand_back", _NOTHING, _ENDED),
    i.PlaceLost: _stays(
        "move_mirror",
        _NOTHING,
        Accept("move_mirror", (_C,)),  # its last words still wait for their thread
    ),
}
