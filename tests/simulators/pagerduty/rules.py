"""What an event must be like: PagerDuty's rules for `POST /v2/enqueue`, as strictly as it documents them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

LARGEST = 512 * 1024
"""Bytes of one event."""

ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")
FIELDS = frozenset(("routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"))
PAYLOAD = frozenset(("summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"))


def mistakes(event: Mapping[str, Any]) -> list[str]:
    """What is wrong with an event; nothing when PagerDuty would take it. Unknown fields are a mistake of ours."""
    found = [f"unknown field {name}" for name in event.keys() - FIELDS]
    key = event.get("routing_key")
    if not isinstance(key, str) or len(key) != 32:
        found.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    if event.get("event_action") not in ACTIONS:
        found.append("'event_action' is invalid")
    dedup_key = event.get("dedup_key")
    if dedup_key is not None and (not isinstance(dedup_key, str) or not 0 < len(dedup_key) <= 255):
        found.append("'dedup_key' is too long (maximum is 255 characters)")
    if event.get("event_action") == "trigger":
        found += _of_payload(event.get("payload")) + _of_links(event.get("links", []))
    elif dedup_key is None:
        found.append("'dedup_key' is missing or blank")
    return found


def _of_payload(payload: Any) -> list[str]:
    if not isinstance(payload, Mapping):
        return ["'payload' is missing or blank"]
    found = [f"unknown field payload.{name}" for name in payload.keys() - PAYLOAD]
    summary = payload.get("summary")
    if not isinstance(summary, str) or not 0 < len(summary) <= 1024:
        found.append("'payload.summary' is missing, blank or too long (maximum is 1024 characters)")
    if not isinstance(payload.get("source"), str) or not payload["source"]:
        found.append("'payload.source' is missing or blank")
    if payload.get("severity") not in SEVERITIES:
        found.append("'payload.severity' is invalid (must be one of the following: critical, warning, error or info)")
    if "timestamp" in payload and not _is_moment(payload["timestamp"]):
        found.append("'payload.timestamp' is no ISO 8601 time")
    if not isinstance(payload.get("custom_details", {}), Mapping):
        found.append("'payload.custom_details' is no object")
    return found


def _of_links(links: Any) -> list[str]:
    if not isinstance(links, list) or not all(isinstance(one, Mapping) and one.get("href") for one in links):
        return ["'links' must have a href each"]
    return []


def _is_moment(text: Any) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except (TypeError, ValueError):
        return False
