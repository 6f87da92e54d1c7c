"""The emoji that this workspace knows: a few of Slack's thousands. Whatever else is asked for is an invalid name."""

EMOJI = frozenset(
    {
        "+1", "-1", "blush", "bow", "eyes", "heart", "joy", "no_entry_sign", "ok_hand", "pray", "rocket", "smile",
        "tada", "thinking_face", "wastebasket", "wave", "white_check_mark", "x",
    }
)  # fmt: skip

_ALIASES = {"thumbsup": "+1", "thumbsdown": "-1"}


def canonical(name: str) -> str:
    """The one name under which a reaction is kept and told of, however it was asked for."""
    base, mark, tone = name.partition("::")
    return _ALIASES.get(base, base) + mark + tone
