"""Incidents: one cause behind many sessions. They are linked, told together, and resolved together."""

from __future__ import annotations

from routing import facts as f
from routing import inputs as i
from routing.case import Case
from routing.facts import Actor


def name_incident(case: Case, event: i.IncidentNamed) -> None:
    known = case.open.incident
    if event.incident == known:
        return
    if event.incident is None:
        case.record(f.IncidentUnlinked, Actor.BRIDGE, incident=known)
        return
    case.record(f.IncidentLinked, Actor.BRIDGE, incident=event.incident)
    case.say("incident_linked", incident=event.incident)
