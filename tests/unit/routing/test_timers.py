"""A session's timers, and what holds of promises and ladders in any history, whenever the deadlines are looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing import sla
from routing.decide import Decision
from routing.hours import Hours
from routing.ids import DeskId, MessageId
from routing.policy import HOUR, Policy, Promised, RungKind
from routing.session import Session, State, TurnOf
from routing.timers import TimerName, timers
from tests.unit.routing.builders import ACCOUNT, AIKO, BUSY, JA, KENJI, SECURITY, THEFT, WITHDRAWALS, Talk, opening

DAY = 24 * HOUR
OFFICE = Hours(tuple((day * DAY + 9 * HOUR, day * DAY + 17 * HOUR) for day in range(60)))
CLOSING = replace(BUSY, desks={name: replace(desk, hours=OFFICE) for name, desk in BUSY.desks.items()})
POLICIES = {"always open": BUSY, "office hours": CLOSING}


def test_every_timer_has_a_name_and_a_closed_session_has_none() -> None:
    talk = Talk(BUSY)
    talk.accepts(i.CustomerWrote(MessageId("c:1"), opening()))
    assert talk.session is not None
    assert {TimerName.WARNING, TimerName.PROMISE, TimerName.OVERFLOW, TimerName.CONTACT} == set(
        timers(talk.session, BUSY)
    )
    assert timers(talk.accepts(i.CustomerEnded()), BUSY) == {}


def test_overflow_waits_for_the_promise_of_the_same_moment() -> None:
    """What falls together is carried out in one order on every process: the warning first, then the miss, the rung."""
    names = list(TimerName)
    order = [TimerName.OPENING, TimerName.WARNING, TimerName.PROMISE, TimerName.RUNG, TimerName.OVERFLOW]
    assert sorted(order, key=names.index) == order


# ------------------------------------------------------------------ any history

ACTS = ("writes", "replies", "notes", "claims", "releases", "holds", "acknowledges", "escalates", "transfers")
ENDS = ("resolves", "reloads")
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from((*ACTS, *ENDS, "sleeps")), st.integers(0, 3 * HOUR), st.integers(0, 2)),
    min_size=1,
    max_size=25,
)
TOPICS = st.sampled_from((ACCOUNT, SECURITY, THEFT))


@dataclass
class Life:
    """One session under a policy in which everything is switched on. `punctual`: its deadlines fall on time."""

    talk: Talk
    punctual: bool = True
    steps: int = 0
    ours: list[tuple[int, int]] = field(default_factory=list)

    @property
    def session(self) -> Session:
        assert self.talk.session is not None
        return self.talk.session

    def due(self) -> int | None:
        return min(timers(self.session, self.talk.policy).values(), default=None)

    def goes_on(self, step: Step) -> None:
        what, after, choice = step
        until = self.talk.now + after
        if self.punctual:
            self._pass(until)
        self.talk.now = until
        if what == "sleeps":
            self._look()
        elif what == "reloads":
            self.talk.policy = shorter(self.talk.policy) if choice else longer(self.talk.policy)
        else:
            self.talk.hears(self._act(what, choice), after=0)

    def _pass(self, until: int) -> None:
        for _ in range(200):
            due = self.due()
            if due is None or due > until:
                return
            self.talk.now = max(self.talk.now, due)
            self._look()
        raise AssertionError("its deadlines never come to an end")

    def _look(self) -> None:
        """The deadlines are looked at: whatever had fallen is carried out, and nothing that fell is left."""
        before = len(self.talk.effects)
        due = self.due()
        verdict = self.talk.hears(i.DeadlineFell(), after=0)
        if due is not None and due <= self.talk.now:
            assert isinstance(verdict, Decision), "a deadline that fell and changes nothing would fall for ever"
        still = self.due()
        assert still is None or still > self.talk.now, "what fell is still due"
        pages = [one for one in self.talk.effects[before:] if isinstance(one, e.Page)]
        assert len(pages) <= 1, "a burst of pages"

    def _act(self, what: str, choice: int) -> i.Input:
        self.steps += 1
        who, message = (AIKO, KENJI, AIKO)[choice], MessageId(f"m:{self.steps}")
        desks = (DeskId("en"), JA, WITHDRAWALS)
        acts: dict[str, i.Input] = {
            "writes": i.CustomerWrote(message),
            "replies": i.OperatorReplied(message, who),
            "notes": i.OperatorNoted(message, who),
            "claims": i.OperatorClaimed(who),
            "releases": i.OperatorReleased(who),
            "holds": i.OperatorHeld(who, self.talk.now + (choice + 1) * HOUR),
            "acknowledges": i.OperatorAcknowledged(who),
            "escalates": i.OperatorEscalated(who),
            "transfers": i.OperatorTransferred(who, desks[choice]),
            "resolves": i.OperatorResolved(who),
        }
        return acts[what]


def shorter(policy: Policy) -> Policy:
    desks = {
        name: replace(one, ladder=replace(one.ladder, rungs=one.ladder.rungs[:1])) for name, one in policy.desks.items()
    }
    return replace(policy, desks=desks)


def longer(policy: Policy) -> Policy:
    return replace(
        policy, desks={name: replace(one, ladder=BUSY.desks[name].ladder) for name, one in policy.desks.items()}
    )


def lived(policy: str, topic: str, steps: list[Step], *, punctual: bool) -> Life:
    talk = Talk(POLICIES[policy], now=9 * HOUR)
    talk.accepts(i.CustomerWrote(MessageId("c:first"), opening(topic=topic)))
    life = Life(talk, punctual)
    for step in steps:
        if life.session.state is State.CLOSED:
            break
        life.goes_on(step)
    return life


@given(st.sampled_from(sorted(POLICIES)), TOPICS, STEPS)
def test_a_deadline_that_fell_is_carried_out_once_and_pages_at_most_once(
    policy: str, topic: str, steps: list[Step]
) -> None:
    lived(policy, topic, steps, punctual=True)


@given(st.sampled_from(sorted(POLICIES)), TOPICS, STEPS)
def test_so_it_is_when_nobody_looks_for_hours(policy: str, topic: str, steps: list[Step]) -> None:
    lived(policy, topic, steps, punctual=False)


@given(st.sampled_from(sorted(POLICIES)), TOPICS, STEPS)
def test_a_session_that_waits_longer_than_promised_is_escalated_or_was_answered(
    policy: str, topic: str, steps: list[Step]
) -> None:
    """With punctual deadlines no promise is over and unnoticed, and no miss leaves who waits without a ladder."""
    life = lived(policy, topic, steps, punctual=True)
    session = life.session
    desk = life.talk.policy.desk_of(session.desk, session.language, session.topic)
    for kind in Promised:
        due = sla.due(kind, session, desk, life.talk.policy)
        if due is not None and due < life.talk.now and session.state is not State.CLOSED:
            assert kind in session.missed
    if Promised.FIRST_RESPONSE in session.missed and session.first_response_at is None:
        assert session.escalation is not None or session.turn.of is not TurnOf.OURS


@given(st.sampled_from(sorted(POLICIES)), STEPS)
def test_the_resolutions_account_is_the_sum_of_our_turns_on_the_desks_clock(policy: str, steps: list[Step]) -> None:
    """Held time counts in this policy, so every turn but the customer's does. Who puts a session back makes it ours."""
    life = lived(policy, ACCOUNT, [one for one in steps if one[0] not in ("transfers", "reloads")], punctual=True)
    hours = OFFICE if policy == "office hours" else Hours()
    total, ours_since = 0, None
    opened = next(fact.at for fact in life.talk.facts if isinstance(fact, f.SessionOpened))
    ours_since = opened
    resolved = False
    for fact in life.talk.facts:
        resolved = isinstance(fact, f.SessionResolved) or (resolved and not isinstance(fact, f.SessionReopened))
        back = isinstance(fact, f.OperatorUnassigned) and not resolved
        if back or isinstance(fact, f.CustomerMessageAdded | f.HoldEnded | f.HoldStarted | f.SessionReopened):
            ours_since = ours_since if ours_since is not None else fact.at
        elif isinstance(fact, f.ReplyAdded | f.SessionResolved) and ours_since is not None:
            total += hours.between(ours_since, fact.at)
            ours_since = None
    if ours_since is not None:  # what is still running is booked when it ends; a hold has booked what came before it
        total += hours.between(ours_since, life.session.turn.since)
    assert life.session.worked == total


@given(st.sampled_from(sorted(POLICIES)), TOPICS, STEPS)
def test_a_ladder_climbs_without_leaving_a_rung_out(policy: str, topic: str, steps: list[Step]) -> None:
    """Under one policy and at one kind of desk: rung by rung, each as often as it says, the last one for ever."""
    life = lived(policy, topic, [one for one in steps if one[0] != "reloads"], punctual=True)
    rungs = BUSY.desks[JA].ladder.rungs
    before: tuple[int, int] | None = None
    for fact in life.talk.facts:
        if isinstance(fact, f.EscalationStarted | f.EscalationEnded):
            before = None
        elif isinstance(fact, f.RungFired):
            assert (fact.rung, fact.times) == _after(before, rungs[before[0]].times if before else 0, len(rungs))
            assert fact.kind is rungs[fact.rung].kind
            before = (fact.rung, fact.times)


def _after(before: tuple[int, int] | None, times: int, rungs: int) -> tuple[int, int]:
    if before is None:
        return (0, 1)
    rung, fired = before
    return (rung, fired + 1) if fired < times or rung == rungs - 1 else (rung + 1, 1)


@given(st.sampled_from(sorted(POLICIES)), TOPICS, STEPS)
def test_every_page_is_ended_and_every_end_had_a_page(policy: str, topic: str, steps: list[Step]) -> None:
    life = lived(policy, topic, steps, punctual=True)
    life.talk.hears(i.CustomerEnded())
    paged = {one.escalation for one in life.talk.effects if isinstance(one, e.Page)}
    ended = [one.escalation for one in life.talk.effects if isinstance(one, e.EndPage)]
    assert set(ended) == paged
    assert len(ended) == len(set(ended))
    assert all(one.kind is not RungKind.PAGER for one in life.talk.effects if isinstance(one, e.CallOperators))
