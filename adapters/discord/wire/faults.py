"""What Discord's error codes mean for a delivery: may it be done again, and who has to mend what.

The codes are those of Discord's documentation ("JSON Error Codes"); a failure bears our word for its code, or the
number where we have none. One that is not listed stops its lane where a person sees it (`kakehashi outbox list`).
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import DeliveryError, Fault

_TOKEN = "set discord.bot_token to the token on the page “Bot” of the application, then restart"  # noqa: S105 - advice
_INVITE = "let the bot see the channel: invite it anew, or give it “View Channel” there"
_RIGHTS = "give the bot its permissions in the channel (`kakehashi doctor` names them)"
_LOCKED = "unlock the thread, or give the bot “Manage Threads” in the channel"
_KIND = "give the desk a forum or a text channel"
_THREADS = "archive threads that are done with: the server has as many active ones as it may"

_WORDS = {
    10003: "unknown_channel",
    10004: "unknown_guild",
    10007: "unknown_member",
    10008: "unknown_message",
    10013: "unknown_user",
    10014: "unknown_emoji",
    10015: "unknown_webhook",
    20016: "slow_mode",
    20028: "channel_write_limit",
    20029: "server_write_limit",
    30010: "too_many_reactions",
    30046: "old_edits_limit",
    40001: "unauthorized",
    40003: "too_many_direct_messages",
    40004: "sending_disabled",
    40005: "too_large",
    40006: "feature_disabled",
    40058: "not_begun",
    40062: "resource_limit",
    40067: "tag_required",
    40333: "shut_out",
    50001: "no_access",
    50005: "anothers_message",
    50006: "empty_message",
    50007: "no_direct_messages",
    50008: "no_text_channel",
    50013: "no_permission",
    50024: "wrong_channel_type",
    50027: "token_ended",
    50035: "invalid_form",
    50045: "too_large",
    50046: "bad_file",
    50083: "thread_archived",
    50110: "bad_file",
    50278: "no_direct_messages",
    90001: "reaction_blocked",
    130000: "overloaded",
    160002: "no_history",
    160004: "thread_there_already",
    160005: "thread_locked",
    160006: "too_many_threads",
    200000: "held_by_automod",
    200001: "title_held_by_automod",
    240000: "harmful_link",
    400001: "no_uploads",
}

_BLOCKED = {
    "unauthorized": _TOKEN,
    "no_access": _INVITE,
    "unknown_channel": _INVITE,
    "unknown_guild": _INVITE,
    "no_permission": _RIGHTS,
    "no_history": _RIGHTS,
    "thread_locked": _LOCKED,
    "no_direct_messages": "let who is on call take direct messages from the server's members",
    "wrong_channel_type": _KIND,
    "no_text_channel": _KIND,
    "tag_required": "switch “Require people to select tags” off in the forum, or let the bot manage threads",
    "too_many_threads": _THREADS,
}

_POISON = frozenset(
    (
        "unknown_message",
        "unknown_webhook",
        "anothers_message",
        "too_large",
        "empty_message",
        "invalid_form",
        "token_ended",
        "held_by_automod",
        "title_held_by_automod",
        "harmful_link",
        "no_uploads",
        "bad_file",
    )
)

_TRANSIENT = frozenset(
    (
        "slow_mode",
        "channel_write_limit",
        "server_write_limit",
        "old_edits_limit",
        "thread_archived",
        "not_begun",
        "too_many_direct_messages",
        "sending_disabled",
        "feature_disabled",
        "resource_limit",
        "overloaded",
    )
)

NO_DIRECT = "no_direct_messages"
"""Somebody takes none from the server's members, or not from the bot."""

WRONG_TYPE = 50024
"""Discord's code for a channel of another kind than was asked for."""

THREAD_LOCKED = 160005
"""Discord's code for a thread in which only moderators write."""

OF_PLACE = frozenset(
    ("no_access", "unknown_channel", "no_permission", "wrong_channel_type", "no_text_channel", "too_many_threads")
)
"""No thread can be opened in the whole channel, whichever session it is of."""

THREAD_GONE = frozenset(("unknown_channel",))
"""Of a call in a thread: somebody has deleted it."""

ALREADY_GONE = frozenset(("unknown_message", "unknown_channel"))
"""What was to be deleted or changed is not there."""

FILES_REFUSED = frozenset(("too_large", "no_uploads", "bad_file", "no_permission"))
"""Of a message with files: without them it may be taken."""

ANOTHERS = "anothers_message"
"""Only its author changes it: a webhook, where that has posted it."""

ASLEEP = "thread_archived"
"""Edits need an active thread."""

UNANSWERED = frozenset(("no_answer", "unreachable", "cut_off", "unreadable"))


def word(code: int) -> str:
    return _WORDS.get(code, f"discord_{code}")


def refused(status: int, code: int, retry_after: float | None = None, *, told: bool = True) -> DeliveryError:
    """The error for an answer below 500. Certainly not done. `told`: Discord itself said so, and nothing before it."""
    said = word(code) if code else "too_large" if status == 413 else f"http_{status}"
    if status == 401 and said != "token_ended":
        return DeliveryError(Fault.BLOCKED, "unauthorized", mend=_TOKEN)
    if status == 429 or said in _TRANSIENT:
        return DeliveryError(Fault.TRANSIENT, said if code else "rate_limited", retry_after=retry_after)
    if said in _POISON or (status == 400 and told and said not in _BLOCKED):
        return DeliveryError(Fault.POISON, said, mend="see `kakehashi outbox list`")
    mend = _BLOCKED.get(said, "check discord.api_url, and look the code up in Discord's documentation")
    return DeliveryError(Fault.BLOCKED, said, mend=mend, of_place=said in OF_PLACE)


def full(places: Sequence[str]) -> DeliveryError:
    """The error where the server has as many active threads as it may: none can be opened in any of these places."""
    code = "too_many_threads"
    return DeliveryError(Fault.BLOCKED, code, mend=_BLOCKED[code], of_place=True, also=places)


def locked() -> DeliveryError:
    """The error for a thread that only a moderator can wake."""
    return refused(403, THREAD_LOCKED)


def unanswered(code: str) -> DeliveryError:
    """The error for a call whose outcome is unknown."""
    return DeliveryError(Fault.AMBIGUOUS, code)


def unreached(code: str) -> DeliveryError:
    """The error for a call that never got there."""
    return DeliveryError(Fault.TRANSIENT, code, mend="check the network and discord.api_url")


def put_off(code: str, seconds: float) -> DeliveryError:
    """Not even tried: a limit is used up."""
    return DeliveryError(Fault.TRANSIENT, code, retry_after=max(0.05, seconds))
