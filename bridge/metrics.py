"""What Prometheus may know. Labels are destinations, outcomes and kinds: never text, never an id of a customer's.

One object, made in `main` with a registry of its own and handed to whoever counts. docs/operating.md says which
figures deserve an alarm and what to do then.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bridge.errors import Fault

CONTENT_TYPE = CONTENT_TYPE_LATEST

_COMMIT_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_SEND_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COMMITS = ("committed", "duplicate", "conflict", "fenced", "failed")
_DELIVERIES = ("done", *Fault)


class Metrics:
    """Small verbs for the engine; times in seconds."""

    def __init__(self, version: str = "") -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._define_store()
        self._define_deliveries()
        self._define_customers()
        build = Gauge(
            "kakehashi_build_info", "Always 1; the label says what runs.", ["version"], registry=self.registry
        )
        build.labels(version).set(1)

    def _define_store(self) -> None:
        self._commits = Counter(
            "kakehashi_commits", "Inputs put before the store, by outcome.", ["outcome"], registry=self.registry
        )
        for outcome in _COMMITS:
            self._commits.labels(outcome)
        self._commit_seconds = Histogram(
            "kakehashi_commit_seconds",
            "From handing an input to the store until it is durable.",
            registry=self.registry,
            buckets=_COMMIT_SECONDS,
        )
        self._policy = Counter(
            "kakehashi_policy_reads",
            "New policies while running, by outcome: adopted, refused.",
            ["outcome"],
            registry=self.registry,
        )
        self._calendars = Counter(
            "kakehashi_calendar_fetches",
            "Rotas' calendars fetched from elsewhere, by outcome: changed, failed.",
            ["outcome"],
            registry=self.registry,
        )
        for counter, outcomes in ((self._policy, ("adopted", "refused")), (self._calendars, ("changed", "failed"))):
            for outcome in outcomes:
                counter.labels(outcome)
        self._store_up = Gauge("kakehashi_store_up", "1 while the store answers.", registry=self.registry)

    def _define_deliveries(self) -> None:
        self._deliveries = Counter(
            "kakehashi_deliveries",
            "Effects handed to a network, by outcome: done, transient, ambiguous, blocked, poison.",
            ["to", "outcome"],
            registry=self.registry,
        )
        self._send_seconds = Histogram(
            "kakehashi_delivery_seconds",
            "How long a network took for one effect.",
            ["to"],
            registry=self.registry,
            buckets=_SEND_SECONDS,
        )
        self._lanes = Gauge("kakehashi_lanes_waiting", "Lanes with effects to deliver.", ["to"], registry=self.registry)
        self._lane_age = Gauge(
            "kakehashi_lane_age_seconds", "How late the oldest due effect is.", ["to"], registry=self.registry
        )
        self._leases = Gauge(
            "kakehashi_leases_held", "Partitions that this process delivers for.", ["to"], registry=self.registry
        )
        self._unplaced = Gauge(
            "kakehashi_unplaced", "Operators' inputs from threads not known yet.", ["network"], registry=self.registry
        )
        self._network_up = Gauge(
            "kakehashi_network_up", "1 while a network takes and gives.", ["network"], registry=self.registry
        )

    def _define_customers(self) -> None:
        self._sockets = Gauge(
            "kakehashi_connections", "Customers' open pages: socket, poll.", ["kind"], registry=self.registry
        )
        self._shed = Counter(
            "kakehashi_shed", "Refused on purpose because too much was under way.", ["what"], registry=self.registry
        )
        self._refused = Counter(
            "kakehashi_refused_frames", "Frames refused, by code.", ["code"], registry=self.registry
        )
        for kind in ("socket", "poll"):
            self._sockets.labels(kind)
        self._shed.labels("input")
        self._refused.labels("not_stored")

    # ------------------------------------------------------------------ the store

    def committed(self, seconds: float, outcome: str = "committed") -> None:
        """An input was put before the store; `outcome` is one of _COMMITS."""
        self._commits.labels(outcome).inc()
        if outcome == "committed":
            self._commit_seconds.observe(seconds)

    def policy_read(self, outcome: str) -> None:
        """The policy was to change; outcome: adopted, refused."""
        self._policy.labels(outcome).inc()

    def calendar_fetched(self, outcome: str) -> None:
        """A rota's calendar; outcome: changed, failed."""
        self._calendars.labels(outcome).inc()

    def store_up(self, up: bool) -> None:
        self._store_up.set(up)

    # ------------------------------------------------------------------ deliveries

    def serves(self, to: str) -> None:
        """Deliveries to this network are counted from 0: what begins with 1 has not increased, to an alarm."""
        for outcome in _DELIVERIES:
            self._deliveries.labels(to, outcome)

    def delivered(self, to: str, outcome: str, seconds: float) -> None:
        """An effect was handed to a network, and `seconds` later came back: `outcome` is done, or the fault."""
        self._deliveries.labels(to, outcome).inc()
        self._send_seconds.labels(to).observe(seconds)

    def lanes(self, to: str, waiting: int, oldest: float = 0.0) -> None:
        """Lanes with due effects, and how many seconds overdue the oldest is."""
        self._lanes.labels(to).set(waiting)
        self._lane_age.labels(to).set(oldest)

    def leases(self, to: str, held: int) -> None:
        self._leases.labels(to).set(held)

    def unplaced(self, network: str, waiting: int) -> None:
        self._unplaced.labels(network).set(waiting)

    def network_up(self, network: str, up: bool) -> None:
        self._network_up.labels(network).set(up)

    # ------------------------------------------------------------------ customers

    def opened(self, kind: str) -> None:
        """A customer's page connected; kind: socket, poll."""
        self._sockets.labels(kind).inc()

    def closed(self, kind: str) -> None:
        self._sockets.labels(kind).dec()

    def shed(self, what: str) -> None:
        """Something was refused because of load: an input."""
        self._shed.labels(what).inc()

    def refused(self, code: str) -> None:
        """A frame was refused; `code` is one of the protocol's own."""
        self._refused.labels(code).inc()

    # ------------------------------------------------------------------ the page

    def render(self) -> bytes:
        """The page for /metrics, of type CONTENT_TYPE."""
        return generate_latest(self.registry)
