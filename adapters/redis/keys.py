"""Every key name and every lifetime, in one file.

Nothing of a session's has a lifetime: it is kept until it is erased. Secrets and buckets bring their own.
All keys of a partition carry its hash tag, so one commit's keys share a slot on a cluster. What spans sessions has
keys of its own, each alone in its slot. `s:` a session's, `c:` a customer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from routing.ids import CustomerKey, DeskId, NetworkName, OperatorId, SessionId, ShortCode, ThreadRef, partition_in

LOOKED_OUT_FOR = 60
"""Seconds that processes look out for what another one keeps of a thread: they wait for it a second at most."""


@dataclass(frozen=True, slots=True)
class Keys:
    """`prefix` keeps installations apart that share one Redis."""

    prefix: str = "kakehashi"

    # --- one partition
    def of(self, partition: int, name: str) -> str:
        return f"{{{self.prefix}:{partition:x}}}:{name}"

    def session(self, session: SessionId, name: str) -> str:
        return self.of(partition_in(session), f"s:{session}:{name}")

    def customer(self, customer: CustomerKey, partition: int) -> str:
        """Hash: `open` and `last`, session ids."""
        return self.of(partition, f"c:{customer}")

    def customers_sessions(self, customer: CustomerKey, partition: int) -> str:
        return self.of(partition, f"c:{customer}:all")

    def lane(self, session: SessionId, to: NetworkName) -> str:
        """List of `effect-id json`, oldest first."""
        return self.session(session, f"lane:{to}")

    def per_destination(self, partition: int, name: str, to: str) -> str:
        """`busy`, `tried`, `errors`, `aside`, `sweeps`, `swept`, `stale`, `lease`: one each per destination."""
        return self.of(partition, f"{name}:{to}")

    def lease(self, name: str) -> str:
        """A lease is named `destination@partition`."""
        to, partition = name.rsplit("@", 1)
        return self.per_destination(int(partition), "lease", to)

    @lru_cache(maxsize=16_384)  # noqa: B019  # one Keys lives as long as the process
    def of_commit(self, session: SessionId, owner: CustomerKey, network: NetworkName) -> tuple[str, ...]:
        """The keys that every commit of a session names, in the order of the commit script; without the fence."""
        partition = partition_in(session)
        return (
            self.session(session, "snapshot"),
            self.session(session, "journal"),
            self.session(session, "bodies"),
            self.session(session, "seen"),
            self.customer(owner, partition),
            self.customers_sessions(owner, partition),
            self.of(partition, "timers"),
            self.of(partition, "sessions"),
            self.per_destination(partition, "stale", "index"),
            self.per_destination(partition, "stale", network),
        )

    @lru_cache(maxsize=16_384)  # noqa: B019  # likewise
    def of_lane(self, session: SessionId, to: NetworkName) -> tuple[str, ...]:
        """A lane's own keys: the line, who is busy, what was tried, and the lease."""
        names = ("busy", "tried", "lease")
        partition = partition_in(session)
        return (self.lane(session, to), *(self.per_destination(partition, name, to) for name in names))

    # --- alone in their slots
    @property
    def meta(self) -> str:
        """Hash: `partitions`, `schema`. Written once, at the first start."""
        return f"{self.prefix}:meta"

    @property
    def destinations(self) -> str:
        """Set: every network that a lane was ever made for."""
        return f"{self.prefix}:destinations"

    @property
    def desks(self) -> str:
        """Set: every desk that ever had a list."""
        return f"{self.prefix}:desks"

    @property
    def codes(self) -> str:
        return f"{self.prefix}:codes"

    @property
    def processes(self) -> str:
        return f"{self.prefix}:processes"

    @property
    def wake(self) -> str:
        """The channel of hints."""
        return f"{self.prefix}:wake"

    def code(self, code: ShortCode) -> str:
        return f"{self.prefix}:code:{code}"

    def thread(self, network: NetworkName, thread: ThreadRef) -> str:
        return f"{self.prefix}:thread:{network}:{thread}"

    def unplaced(self, network: NetworkName) -> str:
        return f"{self.prefix}:unplaced:{network}"

    def unplaced_in(self, network: NetworkName, thread: ThreadRef) -> str:
        """Set of inputs' keys. It ends by itself: a process that died may have left some behind."""
        return f"{self.prefix}:unplaced:{network}:{thread}"

    def desk(self, desk: DeskId) -> str:
        return f"{self.prefix}:desk:{desk}"

    def closed(self, desk: DeskId) -> str:
        """Sorted by the time of closing."""
        return f"{self.prefix}:desk:{desk}:closed"

    def of_desk(self, desk: DeskId, name: str) -> str:
        """`changed`, `marks`, `handled`, `milestones`: beside the desk's list, in its slot (its key is their tag)."""
        return f"{{{self.desk(desk)}}}:{name}"

    def reserved(self, operator: OperatorId) -> str:
        """Hash of session → ms: the places that an operator's capacity has taken."""
        return f"{self.prefix}:reserved:{operator}"

    def given(self, operator: OperatorId) -> str:
        """When they were last given a session; in the slot of their reservations."""
        return f"{{{self.reserved(operator)}}}:given"

    def bucket(self, bucket: str) -> str:
        return f"{self.prefix}:bucket:{bucket}"

    def book(self, name: str) -> str:
        """Hash of what is kept under `space/…` without an expiry."""
        return f"{self.prefix}:book:{name.split('/', 1)[0]}"

    def secret(self, name: str) -> str:
        """One value that expires."""
        return f"{self.prefix}:secret:{name}"
