"""The identity check: the customer proves to the *site* who they are, and only its answer comes here.

What they type for it passes through neither us nor any operator's network. A pass holds for a while and no longer.
"""

from __future__ import annotations

from routing import facts as f
from routing import inputs as i
from routing.case import Case, RefusedError
from routing.facts import Actor
from routing.session import CheckState, Reason


def demanded(case: Case) -> bool:
    return case.policy.topic(case.open.topic).identity_check


def require(case: Case) -> None:
    """Ask for it where the topic demands it and nobody has: as soon as an operator is there to wait for it."""
    check = case.open.check
    if demanded(case) and (check is None or check.state is CheckState.EXPIRED):
        until = case.now + case.policy.check_for
        case.record(f.CheckRequested, Actor.BRIDGE, nonce=case.name("Check"), until=until)


def refuse_unchecked(case: Case) -> None:
    """Where the topic demands the check, nothing is called solved for somebody who might be anybody."""
    check = case.open.check
    if demanded(case) and (check is None or not check.passed_at):
        raise RefusedError(Reason.CHECK_NEEDED)


# ------------------------------------------------------------------ rules


def ask_check(case: Case, event: i.OperatorAskedCheck) -> None:
    check = case.open.check
    if check is not None and check.state is CheckState.PASSED:
        raise RefusedError(Reason.CHECK_PASSED_ALREADY)
    if check is not None and check.state is CheckState.REQUESTED:
        return
    until = case.now + case.policy.check_for
    case.record(f.CheckRequested, Actor.OPERATOR, nonce=event.nonce, until=until, operator=event.operator)


def checked(case: Case, event: i.CustomerChecked) -> None:
    check = case.open.check
    if check is None or check.nonce != event.nonce or check.state is not CheckState.REQUESTED:
        raise RefusedError(Reason.NO_SUCH_CHECK)
    if event.passed:
        case.record(f.CheckPassed, Actor.CUSTOMER, until=case.now + case.policy.check_good_for)
        case.say("check_passed")
    else:
        case.record(f.CheckFailed, Actor.CUSTOMER)
        case.say("check_failed")


def expire(case: Case) -> None:
    check = case.open.check
    case.record(f.CheckExpired, Actor.BRIDGE, passed=check is not None and check.state is CheckState.PASSED)
    case.say("check_expired")
