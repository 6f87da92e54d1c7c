"""Which of Slack's words shut which gate: the workspace, one channel, or one method. See `bridge.pulse`."""

from __future__ import annotations

from bridge.errors import DeliveryError, Fault
from bridge.pulse import PLATFORM

_TOKEN = frozenset(
    ("not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type")
)
_CHANNEL = frozenset(("is_archived", "channel_is_archived"))
_METHOD = frozenset(("missing_scope", "no_permission"))
_UNANSWERED = frozenset(("unreachable", "no_answer", "not_json", "cut_off"))


def gates_of(method: str, channel: str) -> tuple[str, ...]:
    """All that a call passes."""
    return (PLATFORM, f"method {method}", *((f"channel {channel}",) if channel else ()))


def gate_shut_by(error: DeliveryError, method: str, channel: str) -> str | None:
    """The gate that did not let the call through; None where the call itself was at fault, or came too often."""
    if error.code in _TOKEN or is_unanswered(error):
        return PLATFORM
    if error.code in _CHANNEL and channel:
        return f"channel {channel}"
    return f"method {method}" if error.code in _METHOD else None


def is_unanswered(error: DeliveryError) -> bool:
    """Whether there was no answer of Slack's own: nothing, or a page of somebody's between us."""
    return error.code in _UNANSWERED or (error.fault is Fault.AMBIGUOUS and error.code.startswith("http_"))
