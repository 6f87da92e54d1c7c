"""What Slack's error words mean for a delivery: may it be done again, and who has to mend what.

The words are those of Slack's method reference. One that is not listed stops its lane where a person sees it
(`kakehashi outbox list`): certainly not done, and nothing is thrown away.
"""

from __future__ import annotations

from bridge.errors import DeliveryError, Fault

_REINSTALL = "set slack.bot_token to the token on the app's page “OAuth & Permissions”, then restart"
_SCOPE = "compare the app's scopes with `kakehashi slack manifest`, then install the app again"
_INVITE = "check the desk's channel id, and invite the app to the channel: /invite @kakehashi"
_CHANNEL = "correct the desk's channel id, or unarchive the channel"
_RULES = "let the app post in this channel's settings (posting permissions, thread lock)"
_ADMIN = "ask the workspace's administrator"

_BLOCKED: dict[str, str] = {
    **dict.fromkeys(
        (
            "not_authed",
            "invalid_auth",
            "account_inactive",
            "token_revoked",
            "token_expired",
            "not_allowed_token_type",
        ),
        _REINSTALL,
    ),
    **dict.fromkeys(("missing_scope", "no_permission"), _SCOPE),
    **dict.fromkeys(("not_in_channel", "channel_not_found", "user_not_in_channel"), _INVITE),
    **dict.fromkeys(("is_archived", "channel_is_archived", "method_not_supported_for_channel_type"), _CHANNEL),
    **dict.fromkeys(
        (
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_non_threadable_channel",
            "restricted_action_thread_locked",
            "slack_connect_canvas_sharing_blocked",
        ),
        _RULES,
    ),
    **dict.fromkeys(
        (
            "access_denied",
            "ekm_access_denied",
            "enterprise_is_restricted",
            "org_login_required",
            "team_access_not_granted",
            "team_not_found",
            "two_factor_setup_required",
            "storage_limit_reached",
            "file_uploads_disabled",
            "file_upload_size_restricted",
            "message_limit_exceeded",
        ),
        _ADMIN,
    ),
    **dict.fromkeys(("unknown_method", "method_deprecated", "deprecated_endpoint"), "check slack.api_url"),
}

_POISON = frozenset(
    (
        "msg_too_long",
        "no_text",
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "too_many_attachments",
        "attachment_payload_limit_exceeded",
        "invalid_attachments",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "invalid_arguments",
        "invalid_arg_name",
        "invalid_array_arg",
        "invalid_charset",
        "invalid_form_data",
        "invalid_json",
        "json_not_object",
        "invalid_post_type",
        "missing_post_type",
        "cannot_reply_to_message",
        "thread_not_found",
        "message_not_found",
        "cant_update_message",
        "cant_delete_message",
        "edit_window_closed",
        "file_not_found",
        "file_deleted",
        "file_update_failed",
    )
)

TOO_OFTEN = frozenset(("ratelimited", "rate_limited"))

_TRANSIENT = TOO_OFTEN | {"request_timeout", "team_added_to_org", "external_channel_migrating"}

_AMBIGUOUS = frozenset(("internal_error", "fatal_error", "service_unavailable", "operation_timeout"))
"""Slack's own words leave open whether it was done ("some aspect of the operation succeeded")."""

_OF_CHANNEL = frozenset(
    (
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "channel_is_archived",
        "method_not_supported_for_channel_type",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
    )
)
"""Nothing can be posted in the whole channel, whichever session it is of."""

THREAD_GONE = frozenset(("thread_not_found", "cannot_reply_to_message"))
"""Nothing can be said under this root any more."""

ALREADY_GONE = frozenset(("message_not_found", "thread_not_found", "file_not_found", "file_deleted"))
"""What was to be deleted or changed is not there."""


def refused(code: str, *, retry_after: float | None = None) -> DeliveryError:
    """The error for an answer `ok: false` with this word."""
    if code in _TRANSIENT:
        return DeliveryError(Fault.TRANSIENT, code, retry_after=retry_after)
    if code in _AMBIGUOUS:
        return DeliveryError(Fault.AMBIGUOUS, code)
    if code in _POISON:
        return DeliveryError(Fault.POISON, code, mend="see `kakehashi outbox list`")
    mend = _BLOCKED.get(code, "look this word up in Slack's method reference")
    return DeliveryError(Fault.BLOCKED, code, mend=mend, of_place=code in _OF_CHANNEL)


def unanswered(code: str) -> DeliveryError:
    """The error for a call whose outcome is unknown."""
    return DeliveryError(Fault.AMBIGUOUS, code)


def unreached(code: str) -> DeliveryError:
    """The error for a call that never got there."""
    return DeliveryError(Fault.TRANSIENT, code, mend="check the network and slack.api_url")
