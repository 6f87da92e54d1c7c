"""Which of Slack's words shut which gate: the workspace, one channel, or one method. See `bridge.networks.pulse`."""

from __future__ import annotations

from bridge.errors import DeliveryError, Fault
from bridge.networks.pulse import PLATFORM, Pulse

ESSENTIAL = (
    "chat.postMessage",
    "chat.update",
    "conversations.replies",
    "conversations.history",
    "files.getUploadURLExternal",
    "files.completeUploadExternal",
)
"""Methods without which something said does not reach whom it is for. What the others do can be missed."""

SCOPE_MISSING = "missing_scope"

_TOKEN = frozenset(
    ("not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type")
)
_CHANNEL = frozenset(("is_archived", "channel_is_archived"))
_METHOD = frozenset((SCOPE_MISSING, "no_permission"))
_UNANSWERED = frozenset(("unreachable", "no_answer", "not_json", "cut_off"))


def gates_of(method: str, channel: str) -> tuple[str, ...]:
    """All that a call passes."""
    return (PLATFORM, _gate_of(method), *((f"channel {channel}",) if channel else ()))


def gate_shut_by(error: DeliveryError, method: str, channel: str) -> str | None:
    """The gate that did not let the call through; None where the call itself was at fault, or came too often."""
    if error.code in _TOKEN or is_unanswered(error):
        return PLATFORM
    if error.code in _CHANNEL and channel:
        return f"channel {channel}"
    return _gate_of(method) if error.code in _METHOD else None


def refused_method(pulse: Pulse) -> tuple[str, float, DeliveryError] | None:
    """An essential method that Slack does not let us call, since when (seconds since 1970), and its word for it."""
    for method in ESSENTIAL:
        if (refused := pulse.refused(_gate_of(method))) is not None:
            return method, *refused
    return None


def _gate_of(method: str) -> str:
    return f"method {method}"


def is_unanswered(error: DeliveryError) -> bool:
    """Whether there was no answer of Slack's own: nothing, or a page of somebody's between us."""
    return error.code in _UNANSWERED or (error.fault is Fault.AMBIGUOUS and error.code.startswith("http_"))
