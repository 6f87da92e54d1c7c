"""What somebody may do where, as Discord's documentation computes it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.heard.shape import GarbledError, Given
from adapters.discord.places.permissions import (
    INVITED_WITH,
    NEEDS,
    NOTHING,
    Overwrite,
    P,
    Permission,
    Server,
    is_public,
    may,
    missing,
    overwrites_of,
)
from tests.unit.docs.pages import ROOT

GUILD, OWNER, BOT, ROLE, OTHER = "1", "2", "3", "10", "11"
SEES, SPEAKS, ATTACHES = P.VIEW_CHANNEL, P.SEND_MESSAGES, P.ATTACH_FILES


def server(everyone: Permission = SEES, **roles: Permission) -> Server:
    return Server(GUILD, OWNER, {GUILD: everyone, ROLE: roles.get("role", NOTHING), OTHER: roles.get("other", NOTHING)})


def over(*, allow: Permission = NOTHING, deny: Permission = NOTHING) -> Overwrite:
    return Overwrite(allow, deny)


def test_roles_add_to_what_everyone_may() -> None:
    assert may(server(role=SPEAKS), {}, BOT, (ROLE,)) == SEES | SPEAKS
    assert may(server(role=SPEAKS), {}, BOT, ()) == SEES


def test_a_role_gives_back_what_the_channel_takes_from_everyone() -> None:
    overwrites = {GUILD: over(deny=SEES), ROLE: over(allow=SEES)}
    assert may(server(), overwrites, BOT, (ROLE,)) == SEES
    assert may(server(), overwrites, BOT, ()) == NOTHING


def test_of_two_roles_the_one_that_gives_wins() -> None:
    overwrites = {ROLE: over(allow=SPEAKS), OTHER: over(deny=SPEAKS)}
    assert may(server(), overwrites, BOT, (ROLE, OTHER)) == SEES | SPEAKS
    assert may(server(), overwrites, BOT, (OTHER, ROLE)) == SEES | SPEAKS


def test_a_members_own_overwrite_has_the_last_word() -> None:
    overwrites = {ROLE: over(allow=SPEAKS), BOT: over(deny=SPEAKS, allow=ATTACHES)}
    assert may(server(), overwrites, BOT, (ROLE,)) == SEES | ATTACHES


def test_owners_and_administrators_may_everything_whatever_the_channel_says() -> None:
    overwrites = {GUILD: over(deny=SEES)}
    assert may(server(), overwrites, OWNER, ()) is None
    assert may(server(role=P.ADMINISTRATOR), overwrites, BOT, (ROLE,)) is None
    assert missing(None, forum=False) == []


@pytest.mark.parametrize(
    ("everyone", "overwrites", "public"),
    [
        (SEES, {}, True),
        (SEES, {GUILD: over(deny=SEES)}, False),
        (NOTHING, {}, False),
        (NOTHING, {GUILD: over(allow=SEES)}, True),
        (SEES, {GUILD: over(deny=SEES), ROLE: over(allow=SEES)}, False),
        (P.ADMINISTRATOR, {GUILD: over(deny=SEES)}, True),
    ],
)
def test_a_channel_is_public_when_everyone_sees_it(
    everyone: Permission, overwrites: dict[str, Overwrite], public: bool
) -> None:
    assert is_public(server(everyone), overwrites) is public


def test_what_is_missing_is_named_for_the_kind_of_channel() -> None:
    assert missing(INVITED_WITH, forum=False) == missing(INVITED_WITH, forum=True) == []
    less = INVITED_WITH & ~P.CREATE_PUBLIC_THREADS
    assert (missing(less, forum=False), missing(less, forum=True)) == ([P.CREATE_PUBLIC_THREADS], [])
    assert missing(NOTHING, forum=True) == [P.VIEW_CHANNEL]
    assert NEEDS[P.MANAGE_THREADS].named(forum=True) == "Manage Posts"


def test_bits_that_we_do_not_know_are_read_over_and_anything_but_bits_is_refused() -> None:
    def channel(allow: Any) -> Given:
        return Given({"permission_overwrites": [{"id": ROLE, "type": 0, "allow": allow, "deny": "0"}]}, "channel")

    assert P.VIEW_CHANNEL in overwrites_of(channel(str(1 << 55 | 1 << 10)))[ROLE].allow
    for wrong in ("many", "-1", "１", 10.5, True, -1, None):
        with pytest.raises(GarbledError):
            overwrites_of(channel(wrong))


def test_the_guide_lists_what_is_asked_for_and_why() -> None:
    rows = [
        f"| {one.name} | {'' if one.text_only else one.named(forum=True)} | {one.purpose} |" for one in NEEDS.values()
    ]
    told = (ROOT / "docs" / "discord.md").read_text()
    assert "\n".join(rows) in told
    assert P.ADMINISTRATOR not in INVITED_WITH
