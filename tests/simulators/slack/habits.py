"""Slack's habits: the numbers and quirks that are always on, each adjustable by a test."""

from dataclasses import dataclass


@dataclass
class Habits:
    """All durations are seconds of Slack's clock."""

    message_replied: bool = True
    """Send the root's `message_replied` after each reply; over the Events API it lacks its subtype."""
    self_events: bool = True
    """The app hears its own messages."""
    orphans_top_level: bool = True
    """A reply under a deleted root comes out top-level."""
    names_deleter: bool = False
    """Slack does not say who deleted a message; should it begin to, this is how."""
    share_delay: float = 0.05
    """From files.completeUploadExternal's answer to the message that shows the file."""

    ack_timeout: float = 3.0
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    delayed_events: bool = False
    """The app's "Delayed Events" setting: after the retries, one more each hour for a day."""
    disable_above: float = 0.95
    disable_minimum: int = 1_000
    """An hour with fewer attempts than this never disables the subscription."""

    trigger_life: float = 3.0
    response_url_life: float = 1_800.0
    response_url_uses: int = 5
    status_life: float = 120.0

    max_connections: int = 10
    ticket_life: float = 30.0
    """How long a URL of apps.connections.open can be used (once)."""
    warning_ahead: float = 10.0
