"""`kakehashi doctor` for Slack: tokens, scopes, clock, channels, sockets. Reads only, and says each mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapters.slack.places.channels import UNSHARE, Channel
from adapters.slack.setup.manifest import SCOPES, scopes
from adapters.slack.wire.client import WebApi
from bridge.doctor import Finding
from bridge.errors import DeliveryError, Fault
from config.settings import SlackSettings
from routing.ids import Place

SKEW_DOUBTED = 10.0
"""Seconds between Slack's clock and ours from which a person should know: times in threads and at the desk differ."""

SKEW_REFUSED = 300.0
"""Seconds from which signed requests are refused (Slack's signature scheme, five minutes)."""

OPTIONAL = frozenset(("chat:write.customize", "users:read"))
"""Scopes that are used where they are granted, and not missed."""

_KINDS: Mapping[str, str] = {
    "xoxb-": "a bot token",
    "xapp-": "an app-level token",
    "xoxp-": "a user's token",
    "xoxe.": "a token that is rotated",
    "xoxe-": "a refresh token",
    "xoxc-": "a browser's token",
    "xoxs-": "a session's token",
    "xoxa-": "a token of an old kind",
    "xoxr-": "a refresh token",
}
"""What a token's beginning says of it."""

_BOT_TOKEN = "copy the “Bot User OAuth Token” (xoxb-…) from the page “OAuth & Permissions”"  # noqa: S105 - where it is
_APP_TOKEN = "make one with the scope connections:write on the page “Basic Information”"  # noqa: S105 - likewise

_AWAY = "see https://slack-status.com and this machine's way to slack.com, and run doctor again"


@dataclass(frozen=True, slots=True)
class Setup:
    """What is looked at: the settings, and the channels that desks live in."""

    settings: SlackSettings
    places: Sequence[Place]

    @property
    def by_socket(self) -> bool:
        return self.settings.events == "socket"


async def checkup(api: WebApi, setup: Setup) -> list[Finding]:
    """What there is to say. Nothing is raised that a person could mend: that is a finding."""
    wrong = list(_kinds(setup))
    if wrong:
        return wrong
    findings = [await _token(api)]
    if findings[0].level != "ok":
        return findings
    findings += [*_scopes(api, setup.settings), *_clock(api)]
    findings += [one for place in setup.places for one in await _channel(api, place, setup.settings)]
    if setup.by_socket:
        findings.append(await _socket(api))
    findings.append(_delayed_events())
    return findings


def _kinds(setup: Setup) -> Iterator[Finding]:
    """Tokens in the wrong place. Told by their first letters, which are no secret."""
    settings = setup.settings
    expected = [("slack.bot_token", settings.bot_token, "xoxb-", _BOT_TOKEN)]
    if setup.by_socket:
        expected.append(("slack.app_token", settings.app_token, "xapp-", _APP_TOKEN))
    for name, token, start, mend in expected:
        found = _KINDS.get(token.get_secret_value()[:5], "") if token else ""  # else Slack itself will say
        if found and found != _KINDS[start]:
            yield Finding("fail", f"{name} holds {found}, and needs {_KINDS[start]} ({start}…)", mend)


async def _token(api: WebApi) -> Finding:
    try:
        who = await api.auth_test()
    except DeliveryError as error:
        if error.fault in (Fault.TRANSIENT, Fault.AMBIGUOUS):
            return Finding("fail", f"Slack does not answer ({error.code}); nothing else of it was looked at", _AWAY)
        return Finding("fail", f"Slack does not take slack.bot_token ({error.code})", error.mend)
    if not who.get("bot_id"):
        return Finding("fail", f"slack.bot_token acts for {who.get('user')}, who is no app", _BOT_TOKEN)
    return Finding("ok", f"Slack knows us as {who.get('user')} in {who.get('team')} ({who.get('team_id')})")


def _scopes(api: WebApi, settings: SlackSettings) -> Iterator[Finding]:
    """A line for each one that is missing, with what it is for."""
    wanted = scopes(settings)
    mend = (
        "put the output of `kakehashi slack manifest` on the page “App Manifest”, then press “Reinstall to Workspace”"
    )
    missing = sorted(wanted - api.scopes)
    for scope in missing:
        purpose = SCOPES.get(scope, "see which operators are active (slack.presence)")
        yield Finding("fail", f"the Slack app lacks {scope}: it is there to {purpose}", mend)
    if not missing:
        yield Finding("ok", "the Slack app has every scope that it needs")
    if more := sorted(api.scopes - wanted - OPTIONAL):
        yield Finding("warn", f"the Slack app may do more than it needs: {', '.join(more)}", mend)


def _clock(api: WebApi) -> Iterator[Finding]:
    if api.skew is None:
        return
    apart = abs(api.skew)
    if apart < SKEW_DOUBTED:
        yield Finding("ok", "this machine's clock agrees with Slack's")
        return
    told = f"this machine's clock is {apart:.0f} s {'behind' if api.skew > 0 else 'ahead of'} Slack's"
    refused = ", so that signed requests are refused" if apart >= SKEW_REFUSED else ""
    mend = "let a time service set it (chrony, systemd-timesyncd)"
    yield Finding("fail" if refused else "warn", f"{told}{refused}", mend)


async def _channel(api: WebApi, place: Place, settings: SlackSettings) -> list[Finding]:
    try:
        channel = Channel.of((await api.call("conversations.info", channel=place)).get("channel") or {})
    except DeliveryError as error:
        return [Finding("fail", f"Slack channel {place}: {error.code}", error.mend)]
    name = f"Slack channel #{channel.name} ({place})"
    if channel.archived:
        return [Finding("fail", f"{name} is archived", "unarchive it, or give its desk another channel")]
    if channel.shared and not settings.allow_shared_channels:
        return [Finding("fail", f"{name} is shared with another organisation; nothing is posted there", UNSHARE)]
    return [_membership(name, channel), *_publicity(name, channel)]


def _membership(name: str, channel: Channel) -> Finding:
    if channel.member:
        return Finding("ok", f"{name}: the app is a member")
    if channel.private:
        return Finding("fail", f"{name}: the app is not a member", "type /invite @kakehashi there")
    return Finding(
        "warn", f"{name}: the app is not a member yet", "it joins at the first session; or /invite @kakehashi"
    )


def _publicity(name: str, channel: Channel) -> Iterator[Finding]:
    if channel.shared:
        mend = "give the desk a channel of its own workspace, and set slack.allow_shared_channels = false"
        yield Finding("warn", f"{name}: members of another organisation read what customers write", mend)
    if not channel.private:
        mend = "make it private: its settings, “Change to a private channel”"
        yield Finding("warn", f"{name} is public: everybody in the workspace can read what customers write", mend)


async def _socket(api: WebApi) -> Finding:
    try:
        await api.socket_url()
    except DeliveryError as error:
        if error.code == "ratelimited":
            return Finding("ok", "Slack takes slack.app_token (it was asked for a socket a moment ago)")
        return Finding("fail", f"Slack gives no socket for slack.app_token ({error.code})", error.mend or _APP_TOKEN)
    return Finding("ok", "Slack gives a socket for slack.app_token")


def _delayed_events() -> Finding:
    """No call tells whether it is on."""
    told = (
        "Slack tells no app whether “Delayed Events” is on; with it, events are tried again for a day, not six minutes"
    )
    return Finding("ok", told, "look at the app's page “Event Subscriptions”, and switch it on")
