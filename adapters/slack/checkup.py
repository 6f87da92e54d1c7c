"""`kakehashi doctor` for Slack: token, scopes, channels, membership, sockets. Reads only."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.slack.client import WebApi
from adapters.slack.manifest import SCOPES
from bridge.doctor import Finding
from bridge.errors import DeliveryError
from routing.ids import Place


async def checkup(api: WebApi, places: Iterable[Place], *, by_socket: bool) -> list[Finding]:
    """What there is to say. Nothing is raised that a person could mend: that is a finding."""
    findings = [await _token(api)]
    if findings[0].level != "ok":
        return findings
    findings.append(_scopes(api))
    findings += [await _channel(api, place) for place in places]
    if by_socket:
        findings.append(await _socket(api))
    return findings


async def _token(api: WebApi) -> Finding:
    try:
        who = await api.auth_test()
    except DeliveryError as error:
        return Finding("fail", f"Slack does not take slack.bot_token ({error.code})", error.mend)
    return Finding("ok", f"Slack knows us as {who['user']} in {who['team']}")


def _scopes(api: WebApi) -> Finding:
    missing = sorted(set(SCOPES) - api.scopes)
    if missing:
        mend = "add them on the page “OAuth & Permissions” (or update the manifest), then install the app again"
        return Finding("fail", f"the Slack app lacks {', '.join(missing)}", mend)
    return Finding("ok", "the Slack app has every scope that it needs")


async def _channel(api: WebApi, place: Place) -> Finding:
    try:
        channel = (await api.call("conversations.info", channel=place))["channel"]
    except DeliveryError as error:
        return Finding("fail", f"Slack channel {place}: {error.code}", error.mend)
    name = f"Slack channel #{channel['name']} ({place})"
    if channel.get("is_archived"):
        return Finding("fail", f"{name} is archived", "unarchive it, or give its desk another channel")
    if channel.get("is_member"):
        return Finding("ok", f"{name}: the app is a member")
    if channel.get("is_private"):
        return Finding("fail", f"{name}: the app is not a member", "type /invite @kakehashi there")
    return Finding("warn", f"{name}: the app is not a member yet", "it joins at the first session")


async def _socket(api: WebApi) -> Finding:
    try:
        await api.socket_url()
    except DeliveryError as error:
        if error.code == "ratelimited":
            return Finding("ok", "Slack takes slack.app_token (it was asked for a socket a moment ago)")
        return Finding("fail", f"Slack gives no socket for slack.app_token ({error.code})", error.mend)
    return Finding("ok", "Slack gives a socket for slack.app_token")
