"""A hundred days in `make test`, twenty thousand in `make soak`. A seed that fails replays the same day:

python -m tests.scenarios.simulation SEED
"""

from __future__ import annotations

from tests.scenarios.simulation.conftest import TOGETHER
from tests.scenarios.simulation.world import INPUTS, World


def play(seed: int) -> World:
    world = World(seed)
    try:
        world.run()
    except BaseException as error:
        error.add_note(f"replay it: python -m tests.scenarios.simulation {seed}")
        raise
    return world


def test_a_day_keeps_every_promise(first: int) -> None:
    for seed in range(first, first + TOGETHER):
        assert play(seed).books.inputs >= INPUTS


def test_a_seed_is_one_day_and_no_other() -> None:
    one, again, other = play(7), play(7), play(8)
    assert [kept.journal for kept in one.books.sessions.values()] == [
        kept.journal for kept in again.books.sessions.values()
    ]
    assert one.books.inputs != other.books.inputs


def test_the_days_have_everything_in_them() -> None:
    """A simulation in which nothing happens proves nothing."""
    days = [play(seed) for seed in range(12)]
    kinds = {type(fact).__name__ for day in days for kept in day.books.sessions.values() for fact in kept.journal}
    assert kinds >= {
        "OfferMade",
        "OfferWithdrawn",
        "OperatorUnassigned",
        "HoldEnded",
        "SessionTransferred",
        "SessionReopened",
        "PromiseWarned",
        "PromiseMissed",
        "RungFired",
        "SpecialistCalled",
        "EscalationAcknowledged",
        "AcknowledgerReminded",
        "EscalationResumed",
        "DeskOpened",
        "ContactOffered",
        "CheckPassed",
        "CheckExpired",
        "LanguageOffered",
        "IncidentLinked",
        "UpdateAdded",
    }
    assert sum(day.deaths for day in days) > 12
