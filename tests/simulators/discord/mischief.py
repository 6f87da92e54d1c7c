"""Fault injection: what Discord does on a bad day, for the next N calls or events, or by chance with a seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from .guild import Json


class Fault(StrEnum):
    """The first group befalls REST calls, the second events on their way out."""

    LOSE_ANSWER = "lose_answer"  # done, then the connection closes without a word
    LOSE_REQUEST = "lose_request"  # the connection closes, nothing was done
    SERVER_ERROR = "server_error"  # `status` (500, 502, 503, 504, 524), nothing was done
    SERVER_ERROR_AFTER = "server_error_after"  # likewise, but it was done
    RATE_LIMIT = "rate_limit"  # 429, `seconds` as retry_after
    HIDDEN_LIMIT = "hidden_limit"  # 429 of a limit that the headers do not show: there, quota is left
    GLOBAL_LIMIT = "global_limit"  # 429 for everything
    BAN = "ban"  # 429 from the network in front of Discord: a page, no `Via`
    REFUSE = "refuse"  # `status` with `code`
    HANG = "hang"  # no answer for `seconds`, nothing was done
    HANG_AFTER = "hang_after"  # done, then no answer for `seconds`
    LATE = "late"  # the connection closes at once, and it is done `seconds` (of Discord's clock) later
    SLOW = "slow"  # everything as usual after `seconds`; may come on top of another fault

    DUPLICATE = "duplicate"  # `copies` more of the event
    DELAY = "delay"  # the event goes out `seconds` (of Discord's clock) late
    REORDER = "reorder"  # the event waits until the next one has gone out
    LOSE_EVENT = "lose_event"  # never dispatched, to be found in no replay
    MALFORM = "malform"  # the event lacks the fields `missing`


EVENT_FAULTS = frozenset({Fault.DUPLICATE, Fault.DELAY, Fault.REORDER, Fault.LOSE_EVENT, Fault.MALFORM})


@dataclass
class Rule:
    """One piece of mischief in wait. `target`: a route such as `POST /channels/{channel_id}/messages`, an event's
    name, or `*`."""

    fault: Fault
    target: str = "*"
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seconds: float = 1.0
    status: int = 500
    code: int = 0
    copies: int = 1
    match: Json = field(default_factory=dict)
    where: Callable[[Json], bool] | None = None
    missing: tuple[str, ...] = ("id",)
    fired: int = 0

    def suits(self, target: str, subject: Json) -> bool:
        if self.times == 0 or self.target not in ("*", target):
            return False
        if any(subject.get(key) != value for key, value in self.match.items()):
            return False
        return self.where is None or self.where(subject)


class Mischief:
    """The rules in wait. The first that suits strikes; `slow` strikes beside any other."""

    def __init__(self, seed: int = 0) -> None:
        self.rules: list[Rule] = []
        self._random = random.Random(seed)

    def reseed(self, seed: int) -> None:
        """Start the dice afresh."""
        self._random.seed(seed)

    def add(
        self,
        fault: Fault | str,
        target: str = "*",
        *,
        times: int | None = 1,
        skip: int = 0,
        probability: float = 1.0,
        seconds: float = 1.0,
        status: int = 500,
        code: int = 0,
        copies: int = 1,
        match: Json | None = None,
        where: Callable[[Json], bool] | None = None,
        missing: tuple[str, ...] = ("id",),
    ) -> Rule:
        """Lay a fault in wait and return its rule (`rule.fired` counts how often it struck).

        `times`: strikes before it is used up (None: never). `skip`: suitable calls let pass first. `probability`:
        of striking each time. `seconds`: for those that last. `match`: arguments (path and body, or event fields)
        that must be equal; `where`: any other condition on them. `status`, `code`: for those that answer.
        """
        rule = Rule(
            Fault(fault), target, times, skip, probability, seconds, status, code, copies, match or {}, where,
            tuple(missing),
        )  # fmt: skip
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Behave well from now on."""
        self.rules.clear()

    def for_call(self, route: str, args: Json) -> list[Rule]:
        """What befalls this call: at most one `slow` and one other."""
        if not self.rules:
            return []
        slow = self._strike(lambda r: r.fault is Fault.SLOW, route, args)
        other = self._strike(lambda r: r.fault is not Fault.SLOW and r.fault not in EVENT_FAULTS, route, args)
        return [rule for rule in (slow, other) if rule]

    def for_event(self, kind: str, event: Json) -> Rule | None:
        return self._strike(lambda r: r.fault in EVENT_FAULTS, kind, event)

    def _strike(self, group: Callable[[Rule], bool], target: str, subject: Json) -> Rule | None:
        for rule in self.rules:
            if group(rule) and rule.suits(target, subject) and self._lets_strike(rule):
                rule.fired += 1
                return rule
        return None

    def _lets_strike(self, rule: Rule) -> bool:
        if rule.skip > 0:
            rule.skip -= 1
            return False
        if rule.probability < 1 and self._random.random() >= rule.probability:
            return False
        if rule.times is not None:
            rule.times -= 1
        return True
