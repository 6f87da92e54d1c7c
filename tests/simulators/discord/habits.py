"""Discord's habits: the numbers and quirks that are always on, each adjustable by a test."""

from dataclasses import dataclass


@dataclass
class Habits:
    """All durations are seconds of Discord's clock, unless they say otherwise."""

    heartbeat_interval: float = 41.25
    """What HELLO asks for; a client reads it as real seconds."""
    heartbeat_grace: float = 1.5
    """A connection without a heartbeat for so many intervals is closed (4009)."""
    resume_life: float = 180.0
    """How long a session can be resumed after its connection broke."""
    resume_overlap: int = 0
    """How many events before the client's `seq` a RESUME replays as well."""
    resume_url: str = ""
    """Where READY asks to resume, if not here: Discord names hosts of its own, which a proxy may leave as they are."""
    split_frames: bool = False
    """Cut each compressed event over two frames, as Discord may."""
    identifies_a_day: int = 1_000
    identify_interval: float = 5.0
    """One IDENTIFY in so long (max_concurrency 1); sooner ones get op 9."""

    nonce_life: float = 180.0
    interaction_answer: float = 3.0
    interaction_life: float = 900.0
    wakes_before_click: bool = True
    """Whoever presses a button in an archived thread has the thread woken first, as browsers and phones do; without it
    the button works where it is, as in the desktop's client."""
    link_life: float = 86_400.0
    """Of a signed link to an attachment."""

    old_after: float = 3_600.0
    old_edits: tuple[int, float] = (3, 20.0)
    """Edits of older messages in a channel: so many in so long, then 30046. Not documented; this is what bots met."""
    renames: tuple[int, float] = (2, 600.0)
    """Of one channel or thread; no header tells of it."""
    webhook_posts: tuple[int, float] = (30, 60.0)
    """By all webhooks of one channel; no header tells of it."""
    invalid_requests: tuple[int, float] = (10_000, 600.0)
    """Answers with 401, 403 or 429 before the address is banned."""

    active_threads: int = 1_000
    """The guild's cap."""
    crowded: float = 0.9
    """From this share of the cap on, idle threads are archived after an hour."""
