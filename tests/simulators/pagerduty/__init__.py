"""A strict PagerDuty on loopback: its Events API v2, its incidents, and its signed v3 webhooks."""

from tests.simulators.pagerduty.simulator import Event, Incident, Mischief, PagerDutySimulator, Person, running

__all__ = ["Event", "Incident", "Mischief", "PagerDutySimulator", "Person", "running"]
