"""What Prometheus reads: the engine's verbs, and labels that hold nothing of a customer's."""

from __future__ import annotations

from bridge.metrics import CONTENT_TYPE, Metrics

LABELS = {"to", "outcome", "network", "kind", "what", "code", "version", "le"}


def counted(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def busy() -> Metrics:
    metrics = Metrics("0.1.0")
    metrics.committed(0.004)
    metrics.committed(0.0, "duplicate")
    metrics.store_up(True)
    metrics.delivered("slack", "done", 0.2)
    metrics.delivered("slack", "ambiguous", 10.0)
    metrics.lanes("slack", 3, 12.5)
    metrics.leases("slack", 8)
    metrics.unplaced("slack", 1)
    metrics.network_up("slack", False)
    metrics.opened("socket")
    metrics.opened("socket")
    metrics.closed("socket")
    metrics.shed("input")
    metrics.refused("too_long")
    return metrics


def test_every_verb_is_counted_where_it_belongs() -> None:
    metrics = busy()
    assert counted(metrics, "kakehashi_commits_total", outcome="committed") == 1
    assert counted(metrics, "kakehashi_commits_total", outcome="duplicate") == 1
    assert counted(metrics, "kakehashi_commit_seconds_count") == 1
    assert counted(metrics, "kakehashi_store_up") == 1
    assert counted(metrics, "kakehashi_deliveries_total", to="slack", outcome="ambiguous") == 1
    assert counted(metrics, "kakehashi_delivery_seconds_count", to="slack") == 2
    assert counted(metrics, "kakehashi_lanes_waiting", to="slack") == 3
    assert counted(metrics, "kakehashi_lane_age_seconds", to="slack") == 12.5
    assert counted(metrics, "kakehashi_leases_held", to="slack") == 8
    assert counted(metrics, "kakehashi_unplaced", network="slack") == 1
    assert counted(metrics, "kakehashi_network_up", network="slack") == 0
    assert counted(metrics, "kakehashi_connections", kind="socket") == 1
    assert counted(metrics, "kakehashi_shed_total", what="input") == 1
    assert counted(metrics, "kakehashi_refused_frames_total", code="too_long") == 1


def test_no_label_can_hold_a_customer() -> None:
    samples = [sample for family in busy().registry.collect() for sample in family.samples]
    assert {label for sample in samples for label in sample.labels} <= LABELS


def test_the_page_is_prometheus_text() -> None:
    page = busy().render().decode()
    assert 'kakehashi_build_info{version="0.1.0"} 1.0' in page
    assert CONTENT_TYPE.startswith("text/plain")


def test_two_engines_in_one_process_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.shed("input")
    assert counted(second, "kakehashi_shed_total", what="input") == 0


def test_what_an_alarm_watches_is_counted_from_nought() -> None:
    """The increase of what appears with its first event is nought, to Prometheus: the alarm would miss it."""
    metrics = Metrics()
    metrics.serves("slack")
    for outcome in ("poison", "blocked", "ambiguous"):
        assert counted(metrics, "kakehashi_deliveries_total", to="slack", outcome=outcome) == 0
    assert counted(metrics, "kakehashi_shed_total", what="input") == 0
    assert counted(metrics, "kakehashi_refused_frames_total", code="not_stored") == 0
