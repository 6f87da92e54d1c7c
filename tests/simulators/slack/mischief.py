"""Fault injection: what Slack does on a bad day, for the next N calls, by method, or by chance with a seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from .workspace import Json


class Fault(StrEnum):
    """The first group befalls API calls, the second events on their way out, the third an envelope on a socket."""

    LOSE_ANSWER = "lose_answer"  # done, then the connection closes without a word
    LOSE_REQUEST = "lose_request"  # the connection closes, nothing was done
    RATE_LIMIT = "rate_limit"  # 429, `seconds` as Retry-After, or `header` in its place ("": none at all)
    BAD_GATEWAY = "bad_gateway"  # 502 with an HTML page, nothing was done
    BAD_GATEWAY_AFTER = "bad_gateway_after"  # likewise, but it was done
    SERVER_ERROR = "server_error"  # 500 with an HTML page, nothing was done
    INTERNAL_ERROR = "internal_error"  # 200 with ok:false internal_error, nothing was done
    ERROR = "error"  # 200 with ok:false and `error`
    HANG = "hang"  # no answer for `seconds`, nothing was done
    HANG_AFTER = "hang_after"  # done, then no answer for `seconds`
    SLOW = "slow"  # everything as usual after `seconds`; may come on top of another fault
    DROP_POST = "drop_post"  # ok:true with a ts, but no message: Slack's "may be dropped"

    LESS = "less"  # done, and the answer lacks the fields `missing`, as an independent server's may

    DUPLICATE = "duplicate"  # `copies` more of the event, each under its own event_id
    DELAY = "delay"  # the event goes out `seconds` (of Slack's clock) late
    REORDER = "reorder"  # the event waits until the next one has gone out
    LOSE_EVENT = "lose_event"  # never delivered
    RETRY_ACKED = "retry_acked"  # delivered once more although it was acknowledged

    CUT_ENVELOPE = "cut_envelope"  # the socket breaks in the middle of the envelope's frame
    CUT_AFTER_ENVELOPE = "cut_after_envelope"  # the socket breaks before its acknowledgement can be read


EVENT_FAULTS = frozenset({Fault.DUPLICATE, Fault.DELAY, Fault.REORDER, Fault.LOSE_EVENT, Fault.RETRY_ACKED})
SOCKET_FAULTS = frozenset({Fault.CUT_ENVELOPE, Fault.CUT_AFTER_ENVELOPE})


@dataclass
class Rule:
    """One piece of mischief in wait. `target`: an API method, an event type, or `*`."""

    fault: Fault
    target: str = "*"
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seconds: float = 1.0
    error: str = "fatal_error"
    copies: int = 1
    match: Json = field(default_factory=dict)
    where: Callable[[Json], bool] | None = None
    missing: tuple[str, ...] = ()
    header: str | None = None
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
        error: str = "fatal_error",
        copies: int = 1,
        match: Json | None = None,
        where: Callable[[Json], bool] | None = None,
        missing: tuple[str, ...] = (),
        header: str | None = None,
    ) -> Rule:
        """Lay a fault in wait and return its rule (`rule.fired` counts how often it struck).

        `times`: strikes before it is used up (None: never). `skip`: suitable calls let pass first. `probability`:
        of striking each time. `seconds`: for those that last. `match`: arguments (or event fields) that must be
        equal; `where`: any other condition on them. `error`: for Fault.ERROR. `copies`: for Fault.DUPLICATE.
        `missing`: for Fault.LESS. `header`: for Fault.RATE_LIMIT.
        """
        rule = Rule(
            Fault(fault), target, times, skip, probability, seconds, error, copies, match or {}, where, missing, header
        )
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Behave well from now on."""
        self.rules.clear()

    def for_call(self, method: str, args: Json) -> list[Rule]:
        """What befalls this API call: at most one `slow` and one other."""
        if not self.rules:
            return []
        apart = EVENT_FAULTS | SOCKET_FAULTS
        slow = self._strike(lambda r: r.fault is Fault.SLOW, method, args)
        other = self._strike(lambda r: r.fault is not Fault.SLOW and r.fault not in apart, method, args)
        return [rule for rule in (slow, other) if rule]

    def for_event(self, event_type: str, event: Json) -> Rule | None:
        return self._strike(lambda r: r.fault in EVENT_FAULTS, event_type, event)

    def for_envelope(self, kind: str, payload: Json) -> Rule | None:
        return self._strike(lambda r: r.fault in SOCKET_FAULTS, kind, payload)

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
