"""The Slack simulator is as strict and as rude as Slack itself, seen through the unmodified slack_sdk."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.simulators.slack import Channel, Fault, Link, Person, Ping, SlackProcess, SlackSimulator
from tests.simulators.slack.transport import Outcome

Json = dict[str, Any]


@pytest.fixture
async def slack() -> AsyncIterator[SlackSimulator]:
    """Slack's clock stands still: nothing expires and nothing is retried late unless a test leaps."""
    async with SlackSimulator(speed=0) as simulator:
        yield simulator


@pytest.fixture
def client(slack: SlackSimulator) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
async def brisk(slack: SlackSimulator) -> AsyncIterator[AsyncWebClient]:
    """A client that keeps its connections, for tests of many calls."""
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[], session=session)


@pytest.fixture
def desk(slack: SlackSimulator) -> Channel:
    return slack.channel("support-ja")


@pytest.fixture
def kenji(slack: SlackSimulator) -> Person:
    return slack.person("kenji")


@contextlib.contextmanager
def refused(error: str) -> Iterator[pytest.ExceptionInfo[SlackApiError]]:
    """The block's call is answered ok:false with this error; yields the exception info."""
    with pytest.raises(SlackApiError) as info:
        yield info
    assert info.value.response["error"] == error, info.value.response.data


def button(label: str = "Claim", **more: Any) -> Json:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": "claim", **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


# --- tokens, scopes, membership -----------------------------------------------------------------------------------


async def test_auth_test_says_who_the_token_is(slack: SlackSimulator, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert answer["user_id"] == slack.workspace.app.bot.id
    assert answer["team_id"] == slack.workspace.team_id
    assert "chat:write" in answer.headers["x-oauth-scopes"]


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth")])
async def test_a_missing_or_wrong_token_is_refused(slack: SlackSimulator, token: str, error: str) -> None:
    with refused(error):
        await AsyncWebClient(token, base_url=slack.api_url).auth_test()


async def test_each_kind_of_token_opens_only_its_own_methods(slack: SlackSimulator, client: AsyncWebClient) -> None:
    with refused("not_allowed_token_type"):
        await client.apps_connections_open(app_token=slack.bot_token)
    with refused("not_allowed_token_type"):
        await client.auth_test(token=slack.app_token)


async def test_a_revoked_token_is_refused_and_the_app_told_first(
    slack: SlackSimulator, client: AsyncWebClient, app: "Receiver"
) -> None:
    slack.happenings.revoke()
    with refused("token_revoked"):
        await client.auth_test()
    await slack.events.settled()
    assert app.types() == ["tokens_revoked"]


async def test_a_missing_scope_is_named(slack: SlackSimulator, client: AsyncWebClient, desk: Channel) -> None:
    slack.workspace.app.scopes = {"channels:read"}
    with refused("missing_scope") as info:
        await client.chat_postMessage(channel=desk.id, text="hello")
    assert info.value.response["needed"] == "chat:write"
    assert info.value.response["provided"] == "channels:read"


async def test_private_channels_need_their_own_scopes(slack: SlackSimulator, client: AsyncWebClient) -> None:
    private = slack.channel("vip", private=True)
    slack.workspace.app.scopes.discard("groups:history")
    with refused("missing_scope") as info:
        await client.conversations_history(channel=private.id)
    assert info.value.response["needed"] == "groups:history"


async def test_a_persona_needs_its_scope_and_posts_without_a_user(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    answer = await client.chat_postMessage(channel=desk.id, text="hi", username="Aiko", icon_emoji=":bust:")
    assert answer["message"]["username"] == "Aiko"
    assert answer["message"]["subtype"] == "bot_message"
    assert "user" not in answer["message"]
    slack.workspace.app.scopes.discard("chat:write.customize")
    with refused("missing_scope"):
        await client.chat_postMessage(channel=desk.id, text="hi", username="Aiko")


async def test_a_channel_must_exist_be_joined_and_be_open(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    outside, private = slack.channel("elsewhere", bot=False), slack.channel("board", private=True, bot=False)
    with refused("channel_not_found"):
        await client.chat_postMessage(channel="C404", text="x")
    with refused("not_in_channel"):
        await client.chat_postMessage(channel=outside.id, text="x")
    with refused("not_in_channel"):
        await client.conversations_history(channel=outside.id)
    with refused("channel_not_found"):
        await client.chat_postMessage(channel=private.id, text="x")
    kenji.archive(desk)
    with refused("is_archived"):
        await client.chat_postMessage(channel=desk.id, text="x")
    await client.conversations_history(channel=desk.id)


async def test_the_bot_can_join_a_public_channel_and_be_removed(
    slack: SlackSimulator, client: AsyncWebClient, kenji: Person
) -> None:
    outside = slack.channel("elsewhere", bot=False)
    await client.conversations_join(channel=outside.id)
    await client.chat_postMessage(channel=outside.id, text="x")
    kenji.remove_bot(outside)
    with refused("not_in_channel"):
        await client.chat_postMessage(channel=outside.id, text="x")


async def test_a_channel_whose_id_changed_is_not_found_under_the_old_one(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, app: "Receiver"
) -> None:
    old = desk.id
    new = slack.happenings.change_id(desk)
    with refused("channel_not_found"):
        await client.chat_postMessage(channel=old, text="x")
    await client.chat_postMessage(channel=new, text="x")
    await slack.events.settled()
    told = next(e for e in app.events() if e["type"] == "channel_id_changed")
    assert (told["old_channel_id"], told["new_channel_id"]) == (old, new)


async def test_an_unknown_method_is_refused(client: AsyncWebClient) -> None:
    with refused("unknown_method"):
        await client.api_call("chat.shout")


async def test_a_manifest_grants_and_subscribes_nothing_more_than_it_says(desk: Channel) -> None:
    manifest = {
        "oauth_config": {"scopes": {"bot": ["chat:write"]}},
        "settings": {"event_subscriptions": {"bot_events": ["message.channels"]}},
    }
    async with SlackSimulator(manifest=manifest) as narrow:
        channel = narrow.channel("support")
        narrow.person("kenji").say(channel, "hello")
        assert not narrow.events.deliveries, "message.channels stays silent without channels:history"
        client = AsyncWebClient(narrow.bot_token, base_url=narrow.api_url)
        await client.chat_postMessage(channel=channel.id, text="x")
        with refused("missing_scope"):
            await client.conversations_history(channel=channel.id)


# --- rate limits --------------------------------------------------------------------------------------------------


async def post(client: AsyncWebClient, channel: Channel, text: str = "x", **more: Any) -> str:
    ts: str = (await client.chat_postMessage(channel=channel.id, text=text, **more))["ts"]
    return ts


async def flood(client: AsyncWebClient, channel: Channel) -> int:
    """Post until Slack says no; the seconds that it names."""
    with refused("ratelimited") as info:
        for _ in range(20):
            await post(client, channel)
    assert info.value.response.status_code == 429
    return int(info.value.response.headers["Retry-After"])


async def test_one_post_a_second_in_a_channel_after_a_short_burst(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    wait = await flood(client, desk)
    posted = len(slack.roots(desk))
    assert 1 < posted < 10
    await post(client, slack.channel("other"))
    await client.auth_test()
    await client.conversations_info(channel=desk.id)
    slack.clock.advance(wait)
    await post(client, desk)
    with refused("ratelimited"):
        await post(client, desk)


async def test_a_method_stays_shut_until_retry_after_has_passed_though_there_would_be_room(
    slack: SlackSimulator, brisk: AsyncWebClient, kenji: Person
) -> None:
    with refused("ratelimited") as info:
        for _ in range(51):
            await brisk.users_getPresence(user=kenji.id)
    assert info.value.response.headers["Retry-After"] == "2", "room for the next comes after 1.2 s"
    slack.clock.advance(1.5)
    with refused("ratelimited"):
        await brisk.users_getPresence(user=kenji.id)
    slack.clock.advance(0.5)
    await brisk.users_getPresence(user=kenji.id)


async def test_a_workspace_takes_several_hundred_posts_a_minute(slack: SlackSimulator, brisk: AsyncWebClient) -> None:
    for number in range(75):
        channel = slack.channel(f"c{number}")
        for _ in range(4):
            await post(brisk, channel)
    with refused("ratelimited"):
        await post(brisk, slack.channel("last"))


@pytest.mark.parametrize(
    ("method", "arguments", "a_minute"),
    [
        ("conversations.list", {}, 20),
        ("reactions.remove", {"name": "eyes"}, 20),
        ("chat.update", {}, 50),
        ("chat.delete", {}, 50),
        ("reactions.add", {"name": "eyes"}, 50),
        ("conversations.replies", {}, 50),
        ("conversations.history", {}, 50),
        ("users.getPresence", {}, 50),
        ("users.info", {}, 100),
        ("files.getUploadURLExternal", {}, 100),
        ("files.completeUploadExternal", {}, 100),
        ("views.publish", {}, 100),
        ("chat.postEphemeral", {}, 100),
    ],
)
async def test_each_method_has_its_tier(
    slack: SlackSimulator, brisk: AsyncWebClient, method: str, arguments: Json, a_minute: int
) -> None:
    outcomes = [await _outcome(brisk, method, arguments) for _ in range(a_minute + 1)]
    assert "ratelimited" not in outcomes[:-1]
    assert outcomes[-1] == "ratelimited"


async def _outcome(client: AsyncWebClient, method: str, arguments: Json) -> str:
    try:
        await client.api_call(method, params=arguments)
    except SlackApiError as refusal:
        return str(refusal.response["error"])
    return "ok"


async def test_a_flood_may_be_dropped_in_silence(slack: SlackSimulator, client: AsyncWebClient, desk: Channel) -> None:
    slack.limits.drop_floods = True
    stamps = [await post(client, desk, f"{n}") for n in range(8)]
    assert len(stamps) == 8
    assert len(slack.roots(desk)) < 8


async def test_limits_can_be_scaled_and_switched_off(
    slack: SlackSimulator, brisk: AsyncWebClient, desk: Channel
) -> None:
    slack.limits.factor = 5
    for _ in range(20):
        await post(brisk, desk)
    slack.limits.enabled = False
    for _ in range(20):
        await post(brisk, desk)
    assert len(slack.roots(desk)) == 40


async def test_the_sdk_does_not_retry_429_by_default(slack: SlackSimulator, desk: Channel) -> None:
    slack.mischief.add(Fault.RATE_LIMIT, "chat.postMessage", seconds=30)
    default = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    with refused("ratelimited") as info:
        await default.chat_postMessage(channel=desk.id, text="x")
    assert info.value.response.headers["Retry-After"] == "30"
    assert len(slack.calls_of("chat.postMessage")) == 1


# --- text ---------------------------------------------------------------------------------------------------------


async def test_post_message_cuts_text_and_update_refuses_it(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    ts = await post(client, desk, "x" * 50_000)
    assert len(slack.message(desk, ts).text) == 40_000
    await client.chat_update(channel=desk.id, ts=ts, text="x" * 4_000)
    with refused("msg_too_long"):
        await client.chat_update(channel=desk.id, ts=ts, text="x" * 4_001)
    with refused("no_text"):
        await client.api_call("chat.postMessage", json={"channel": desk.id, "text": " "})


@pytest.mark.parametrize(
    ("text", "ping"),
    [
        ("<!channel> look", Ping("channel")),
        ("<!here|here>", Ping("here")),
        ("<!everyone>", Ping("everyone")),
        ("<@U123>", Ping("user", "U123")),
        ("<@U123|ken>", Ping("user", "U123")),
        ("<!subteam^S1|@leads>", Ping("usergroup", "S1")),
    ],
)
async def test_an_unescaped_control_sequence_rings(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, text: str, ping: Ping
) -> None:
    plain = slack.message(desk, await post(client, desk, text))
    in_block = slack.message(desk, await post(client, desk, "fallback", blocks=[section(text)]))
    assert plain.pings == in_block.pings == [ping]


async def test_escaped_text_rings_nobody_and_reads_as_it_was_written(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    said = "<!channel> & <@U123> <https://evil|bank>"
    escaped = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    message = slack.message(desk, await post(client, desk, escaped, unfurl_links=False, unfurl_media=False))
    assert message.pings == []
    assert [link.kind for link in message.links] == ["auto"], "a bare address is still made clickable"
    assert slack.seen(message) == said


async def test_links_are_recorded_and_unfurl_unless_both_switches_are_off(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    text = "<https://a.example/x|the bank> and https://b.example/y?a=1&amp;b=2 <#C1|general>"
    message = slack.message(desk, await post(client, desk, text))
    assert message.links == [
        Link("https://a.example/x", "the bank"),
        Link("https://b.example/y?a=1&b=2", "https://b.example/y?a=1&b=2", "auto"),
        Link("C1", "general", "channel"),
    ]
    assert message.unfurls == ["https://a.example/x", "https://b.example/y?a=1&b=2"]
    quiet = await post(client, desk, text, unfurl_links=False, unfurl_media=False)
    assert slack.message(desk, quiet).unfurls == []
    half = await post(client, desk, text, unfurl_links=False)
    assert slack.message(desk, half).unfurls != []


async def test_names_ring_only_with_link_names_or_parse_full(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    text = "@kenji @channel @nobody"
    assert slack.message(desk, await post(client, desk, text)).pings == []
    ringing = [Ping("user", kenji.id), Ping("channel")]
    assert slack.message(desk, await post(client, desk, text, link_names=True)).pings == ringing
    full = slack.message(desk, await post(client, desk, text, parse="full"))
    assert (full.pings, full.parse) == (ringing, "full")


async def test_plain_text_blocks_ring_nobody_and_rich_text_does(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    plain = {"type": "section", "text": {"type": "plain_text", "text": "<!channel>"}}
    assert slack.message(desk, await post(client, desk, "x", blocks=[plain])).pings == []
    rings = {"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}]}
    rich = {"type": "rich_text", "elements": [rings]}
    assert slack.message(desk, await post(client, desk, "x", blocks=[rich])).pings == [Ping("here")]


async def test_slack_keeps_its_own_form_of_a_text(slack: SlackSimulator, client: AsyncWebClient, desk: Channel) -> None:
    answer = await client.chat_postMessage(channel=desk.id, text="a < b & see example.com 👍 &lt;")
    stored = "a &lt; b &amp; see <http://example.com|example.com> :+1: &lt;"
    assert answer["message"]["text"] == stored
    assert slack.seen(slack.message(desk, answer["ts"])) == "a < b & see example.com 👍 <"


async def test_a_persons_text_arrives_escaped_and_linked(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: "Receiver"
) -> None:
    typed = f"a<b & <@{kenji.id}> 🙏 https://x.example/?a=1&b=2 me@x.example"
    kenji.say(desk, typed)
    await slack.events.settled()
    event = app.events()[0]
    assert event["text"] == (
        f"a&lt;b &amp; <@{kenji.id}> :pray: <https://x.example/?a=1&amp;b=2> <mailto:me@x.example|me@x.example>"
    )
    elements = event["blocks"][0]["elements"][0]["elements"]
    assert [e["type"] for e in elements] == ["text", "user", "text", "emoji", "text", "link", "text", "link"]
    assert elements[0]["text"] == "a<b & "


# --- blocks -------------------------------------------------------------------------------------------------------

_LONG = "x" * 3_001


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param([{"type": "divider"}] * 51, id="51 blocks"),
        pytest.param([section(_LONG)], id="section text"),
        pytest.param([section("")], id="empty text"),
        pytest.param([{"type": "section"}], id="section of nothing"),
        pytest.param([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], id="header"),
        pytest.param([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], id="header mrkdwn"),
        pytest.param([actions(button("x" * 76))], id="button text"),
        pytest.param([actions(button(value="x" * 2_001))], id="button value"),
        pytest.param([actions(button(style="blue"))], id="button style"),
        pytest.param([actions(button() | {"action_id": "x" * 256})], id="action_id"),
        pytest.param([actions(button(), button())], id="action_id twice"),
        pytest.param([actions(*(button() | {"action_id": f"{n}"} for n in range(26)))], id="26 actions"),
        pytest.param([actions()], id="no actions"),
        pytest.param([actions({"type": "slider", "action_id": "x"})], id="unknown element"),
        pytest.param([{"type": "divider", "block_id": "x" * 256}], id="block_id"),
        pytest.param([{"type": "divider", "block_id": "x"}] * 2, id="block_id twice"),
        pytest.param(
            [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}], id="11 context elements"
        ),
        pytest.param([{"type": "image", "image_url": "https://x.example/i.png"}], id="image without alt_text"),
        pytest.param([{"type": "marquee"}], id="unknown block"),
        pytest.param([{"type": "divider", "colour": "red"}], id="unknown property"),
        pytest.param([{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}], id="11 fields"),
        pytest.param(
            [actions({"type": "static_select", "action_id": "x", "options": [{"text": "x", "value": "y"}]})],
            id="option text",
        ),
        pytest.param({"type": "divider"}, id="not a list"),
    ],
)
async def test_a_wrong_block_refuses_the_whole_message(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, blocks: Any
) -> None:
    with refused("invalid_blocks") as info:
        await client.chat_postMessage(channel=desk.id, text="x", blocks=blocks)
    assert "json-pointer:/blocks" in info.value.response["response_metadata"]["messages"][0]
    assert slack.roots(desk) == []


async def test_blocks_at_the_limits_pass(slack: SlackSimulator, client: AsyncWebClient, desk: Channel) -> None:
    limits: list[Json] = [
        section("x" * 3_000),
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 150}},
        actions(*(button("x" * 75, value="x" * 2_000) | {"action_id": f"{n:0>255}"} for n in range(25))),
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 10},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "accessory": button()},
    ]
    await post(client, desk, blocks=limits + [{"type": "divider"}] * 45)


async def test_blocks_may_be_sent_as_a_form_with_json_in_it(client: AsyncWebClient, desk: Channel) -> None:
    body = {"channel": desk.id, "text": "x", "blocks": json.dumps([section("*hi*")])}
    answer = await client.api_call("chat.postMessage", data=body)
    assert answer["message"]["blocks"][0]["text"]["text"] == "*hi*"
    assert answer["message"]["blocks"][0]["block_id"]
    with refused("invalid_blocks_format"):
        await client.api_call("chat.postMessage", data=body | {"blocks": "[{"})


async def test_too_much_text_in_all_blocks_together_is_refused(client: AsyncWebClient, desk: Channel) -> None:
    with refused("msg_blocks_too_long"):
        await post(client, desk, blocks=[section("x" * 2_700)] * 5)


async def test_an_update_with_text_and_no_blocks_drops_the_blocks(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    ts = await post(client, desk, blocks=[section("card")])
    await client.chat_update(channel=desk.id, ts=ts, text="only text")
    assert slack.message(desk, ts).blocks == []
    assert slack.seen(slack.message(desk, ts)) == "only text"


async def test_what_a_person_sees_are_the_blocks(slack: SlackSimulator, client: AsyncWebClient, desk: Channel) -> None:
    ts = await post(client, desk, "fallback", blocks=[section("one &amp; <https://x.example|two>"), actions(button())])
    assert slack.seen(slack.message(desk, ts)) == "one & two"


# --- metadata -----------------------------------------------------------------------------------------------------

EFFECT = {"event_type": "kakehashi_effect", "event_payload": {"effect": "e1"}}


async def test_metadata_is_shown_only_to_who_asks_for_it(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, app: "Receiver"
) -> None:
    root = await post(client, desk, metadata=EFFECT)
    await post(client, desk, thread_ts=root, metadata=EFFECT)
    seen = (await client.conversations_history(channel=desk.id, include_all_metadata=True))["messages"]
    assert [m["metadata"] for m in seen] == [EFFECT]
    replies = await client.conversations_replies(channel=desk.id, ts=root, include_all_metadata=True)
    assert [m["metadata"] for m in replies["messages"]] == [EFFECT, EFFECT]
    plain = await client.conversations_replies(channel=desk.id, ts=root)
    assert all("metadata" not in m for m in plain["messages"])
    await slack.events.settled()
    assert all("metadata" not in e for e in app.events())


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ("{", "invalid_metadata_format"),
        ({"event_payload": {}}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": "y"}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"y": "z" * 8_000}}, "metadata_too_large"),
    ],
)
async def test_wrong_metadata_is_refused(client: AsyncWebClient, desk: Channel, metadata: Any, error: str) -> None:
    with refused(error):
        await client.api_call("chat.postMessage", json={"channel": desk.id, "text": "x", "metadata": metadata})


async def test_metadata_survives_an_update_that_does_not_mention_it(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    ts = await post(client, desk, metadata=EFFECT)
    await client.chat_update(channel=desk.id, ts=ts, text="y")
    assert slack.message(desk, ts).metadata == EFFECT


# --- threads and history ------------------------------------------------------------------------------------------


async def test_ts_are_strictly_increasing_in_a_channel_though_not_across(slack: SlackSimulator, kenji: Person) -> None:
    one, two = slack.channel("one"), slack.channel("two")
    stamps = [kenji.say(one, "x").ts for _ in range(200)]
    assert stamps == sorted(set(stamps))
    ahead = f"{int(time.time()) + 60}.000100"
    assert kenji.say(one, "x", at=ahead).ts == kenji.say(two, "x", at=ahead).ts == ahead
    assert kenji.say(one, "x").ts > ahead
    with pytest.raises(ValueError, match="not later"):
        kenji.say(one, "x", at=ahead)


async def test_the_root_heads_every_page_of_its_replies(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    root = await post(client, desk, "root")
    for number in range(5):
        kenji.say(desk, f"{number}", thread_ts=root)
    pages = [
        [m["text"] for m in page["messages"]]
        async for page in await client.conversations_replies(channel=desk.id, ts=root, limit=3)
    ]
    assert pages == [["root", "0", "1"], ["root", "2", "3"], ["root", "4"]]
    first = slack.replies(desk, root)[1].ts
    bounded = await client.conversations_replies(channel=desk.id, ts=root, oldest=first)
    assert [m["text"] for m in bounded["messages"]] == ["root", "2", "3", "4"]
    inclusive = await client.conversations_replies(channel=desk.id, ts=root, oldest=first, inclusive=True)
    assert [m["text"] for m in inclusive["messages"]] == ["root", "1", "2", "3", "4"]


async def test_a_root_tells_of_its_replies(client: AsyncWebClient, desk: Channel, kenji: Person) -> None:
    root = await post(client, desk, "root")
    reply = kenji.say(desk, "yes", thread_ts=root)
    answer = await client.conversations_history(channel=desk.id)
    (shown,) = answer["messages"]
    assert (shown["thread_ts"], shown["reply_count"], shown["latest_reply"]) == (root, 1, reply.ts)
    with refused("thread_not_found"):
        await client.conversations_replies(channel=desk.id, ts="1700000000.000001")


async def test_history_is_newest_first_and_pages_back(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    stamps = [kenji.say(desk, f"{number}").ts for number in range(5)]
    kenji.say(desk, "hidden in its thread", thread_ts=stamps[0])
    kenji.say(desk, "shown to all", thread_ts=stamps[0], broadcast=True)
    pages = [
        [m["text"] for m in page["messages"]]
        async for page in await client.conversations_history(channel=desk.id, limit=4)
    ]
    assert pages == [["shown to all", "4", "3", "2"], ["1", "0"]]
    closest = await client.conversations_history(channel=desk.id, oldest=stamps[0], limit=2)
    assert [m["text"] for m in closest["messages"]] == ["2", "1"], "with oldest alone, the page nearest to it"
    with refused("invalid_cursor"):
        await client.conversations_history(channel=desk.id, cursor="what")


async def test_thread_errors_have_their_names(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    root = await post(client, desk)
    kenji.lock(desk, root)
    with refused("restricted_action_thread_locked"):
        await post(client, desk, thread_ts=root)
    with pytest.raises(ValueError, match="locked"):
        kenji.say(desk, "x", thread_ts=root)
    kenji.join(desk)
    notice = desk.top_level()[-1]
    with refused("cannot_reply_to_message"):
        await post(client, desk, thread_ts=notice.ts)
    with refused("invalid_thread_ts"):
        await post(client, desk, thread_ts="now")


async def test_a_reply_under_a_deleted_root_comes_out_top_level(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    root = await post(client, desk)
    kenji.delete(desk, root)
    reply = await post(client, desk, "reply", thread_ts=root)
    assert [m.ts for m in slack.roots(desk)] == [reply]
    slack.habits.orphans_top_level = False
    orphan = await post(client, desk, "reply", thread_ts=root)
    assert slack.thread(desk, root) == ["reply"]
    assert slack.message(desk, orphan).is_reply


async def test_a_reply_to_a_reply_is_lost_to_the_thread(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    root = await post(client, desk)
    reply = kenji.say(desk, "reply", thread_ts=root)
    await post(client, desk, "to the reply", thread_ts=reply.ts)
    assert slack.thread(desk, root) == ["reply"]


async def test_only_its_own_messages_can_be_changed_and_deleted(
    client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    theirs = kenji.say(desk, "mine")
    with refused("cant_update_message"):
        await client.chat_update(channel=desk.id, ts=theirs.ts, text="x")
    with refused("cant_delete_message"):
        await client.chat_delete(channel=desk.id, ts=theirs.ts)
    with refused("message_not_found"):
        await client.chat_update(channel=desk.id, ts="1700000000.000001", text="x")


async def test_reactions_ephemerals_and_permalinks(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    theirs = kenji.say(desk, "hello")
    await client.reactions_add(channel=desk.id, timestamp=theirs.ts, name="eyes")
    assert theirs.reactions == {"eyes": [slack.workspace.app.bot.id]}
    with refused("already_reacted"):
        await client.reactions_add(channel=desk.id, timestamp=theirs.ts, name="eyes")
    await client.reactions_remove(channel=desk.id, timestamp=theirs.ts, name="eyes")
    with refused("no_reaction"):
        await client.reactions_remove(channel=desk.id, timestamp=theirs.ts, name="eyes")
    await client.reactions_add(channel=desk.id, timestamp=theirs.ts, name="thumbsup")
    assert list(theirs.reactions) == ["+1"]
    with refused("invalid_name"):
        await client.reactions_add(channel=desk.id, timestamp=theirs.ts, name="no_such_emoji")
    with refused("no_item_specified"):
        await client.api_call("reactions.add", params={"name": "eyes"})
    kenji.lock(desk, theirs.ts)
    with refused("thread_locked"):
        await client.reactions_add(channel=desk.id, timestamp=theirs.ts, name="eyes")
    await client.chat_postEphemeral(channel=desk.id, user=kenji.id, text="only you")
    assert [(e.user, e.text) for e in slack.workspace.ephemerals] == [(kenji.id, "only you")]
    with refused("user_not_in_channel"):
        await client.chat_postEphemeral(channel=desk.id, user=slack.person("mai").id, text="x")
    link = (await client.chat_getPermalink(channel=desk.id, message_ts=theirs.ts))["permalink"]
    assert link.endswith(f"/archives/{desk.id}/p{theirs.ts.replace('.', '')}")


async def test_channels_people_groups_and_bots_can_be_looked_up(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    for number in range(5):
        slack.channel(f"more-{number}")
    names = []
    async for page in await client.conversations_list(limit=2):
        names += [c["name"] for c in page["channels"]]
    assert names == ["support-ja", *(f"more-{n}" for n in range(5))]
    created = await client.conversations_create(name="support-en")
    assert slack.find_channel("support-en").id == created["channel"]["id"]
    with refused("name_taken"):
        await client.conversations_create(name="support-en")
    kenji.join(desk)
    members = (await client.conversations_members(channel=desk.id))["members"]
    assert set(members) == {kenji.id, slack.workspace.app.bot.id}
    kenji.be("away")
    assert (await client.users_getPresence(user=kenji.id))["presence"] == "away"
    stranger = slack.person("visitor", stranger=True)
    assert (await client.users_info(user=stranger.id))["user"]["team_id"] != slack.workspace.team_id
    group = slack.usergroup("leads", [kenji])
    found = (await client.usergroups_list(include_users=True))["usergroups"]
    assert [(g["id"], g["users"]) for g in found] == [(group, [kenji.id])]
    bot_id = (await client.auth_test())["bot_id"]
    assert (await client.bots_info(bot=bot_id))["bot"]["user_id"] == slack.workspace.app.bot.id
    with refused("user_not_found"):
        await client.users_info(user="U404")


async def test_the_typing_status_lasts_two_minutes_or_until_the_next_post(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    root = await post(client, desk)
    await client.assistant_threads_setStatus(channel_id=desk.id, thread_ts=root, status="customer is typing")
    assert slack.status(desk, root) == "customer is typing"
    slack.clock.advance(121)
    assert slack.status(desk, root) == ""
    await client.assistant_threads_setStatus(channel_id=desk.id, thread_ts=root, status="customer is typing")
    await post(client, desk, thread_ts=root)
    assert slack.status(desk, root) == ""


# --- files --------------------------------------------------------------------------------------------------------


async def test_a_file_is_shared_after_the_answer_and_carries_no_metadata(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, app: "Receiver"
) -> None:
    root = await post(client, desk)
    answer = await client.files_upload_v2(
        content=b"\x89PNG", filename="shot.png", channel=desk.id, thread_ts=root, initial_comment="a screenshot"
    )
    file_id = answer["file"]["id"]
    assert "shares" not in answer["file"]
    before = (await client.files_info(file=file_id))["file"]
    assert (before["shares"], slack.thread(desk, root)) == ({}, [])
    slack.clock.advance(1)
    await slack.until(lambda: slack.thread(desk, root) == ["a screenshot"])
    after = (await client.files_info(file=file_id))["file"]
    (spot,) = after["shares"]["public"][desk.id]
    assert spot["thread_ts"] == root
    replies = await client.conversations_replies(channel=desk.id, ts=root, include_all_metadata=True)
    shown = replies["messages"][1]
    assert (shown["subtype"], shown["bot_id"]) == ("file_share", slack.workspace.app.bot_id)
    assert "metadata" not in shown
    await slack.events.settled()
    assert "file_shared" in app.types()


async def test_a_file_whose_answer_was_lost_is_found_by_its_id(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    asked = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    async with aiohttp.ClientSession() as session, session.post(asked["upload_url"], data=b"yes") as response:
        assert response.status == 200
    slack.mischief.add(Fault.LOSE_ANSWER, "files.completeUploadExternal")
    with pytest.raises(aiohttp.ClientError):
        await client.files_completeUploadExternal(files=[{"id": asked["file_id"]}], channel_id=desk.id)
    slack.clock.advance(1)
    await slack.until(lambda: slack.roots(desk))
    found = (await client.files_info(file=asked["file_id"]))["file"]
    assert [spot["ts"] for spot in found["shares"]["public"][desk.id]] == [slack.roots(desk)[0].ts]


async def test_upload_urls_work_once_for_the_announced_length(slack: SlackSimulator, client: AsyncWebClient) -> None:
    asked = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    with refused("file_not_found"):
        await client.files_completeUploadExternal(files=[{"id": asked["file_id"]}])
    async with aiohttp.ClientSession() as session:
        for body, status in ((b"four", 400), (b"yes", 200), (b"yes", 404)):
            async with session.post(asked["upload_url"], data=body) as response:
                assert response.status == status
    await client.files_completeUploadExternal(files=[{"id": asked["file_id"]}])
    with refused("file_update_failed"):
        await client.files_completeUploadExternal(files=[{"id": asked["file_id"]}])


async def test_a_download_without_access_is_a_login_page_with_status_200(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    message = kenji.upload(desk, "id.png", b"picture")
    url = (await client.files_info(file=message.files[0]))["file"]["url_private_download"]
    assert await _download(url, slack.bot_token) == ("image/png", b"picture")
    for token in ("", "xoxb-wrong"):
        content_type, body = await _download(url, token)
        assert content_type == "text/html"
        assert b"Sign in" in body
    slack.workspace.app.scopes.discard("files:read")
    assert (await _download(url, slack.bot_token))[0] == "text/html"


async def _download(url: str, token: str) -> tuple[str, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        assert response.status == 200
        return response.content_type, await response.read()


async def test_a_slack_connect_file_must_be_looked_up(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, app: "Receiver"
) -> None:
    slack.person("partner", stranger=True).upload(desk, "x.pdf", b"%PDF", check_file_info=True)
    await slack.events.settled()
    (file,) = next(e for e in app.events() if e.get("subtype") == "file_share")["files"]
    assert file["file_access"] == "check_file_info"
    assert "url_private" not in file
    assert (await client.files_info(file=file["id"]))["file"]["name"] == "x.pdf"


async def test_deleting_a_file_takes_its_empty_message_along(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    answer = await client.files_upload_v2(content=b"x", filename="x.txt", channel=desk.id)
    slack.clock.advance(1)
    await slack.until(lambda: slack.roots(desk))
    await client.files_delete(file=answer["file"]["id"])
    assert slack.roots(desk) == []
    with refused("file_deleted"):
        await client.files_info(file=answer["file"]["id"])


# --- events over HTTP ---------------------------------------------------------------------------------------------


@dataclass
class Receiver:
    """An app's request URL: keeps what came and answers as told (`None`: never)."""

    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)
    always: int | None = 200
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((dict(request.headers), body))
        if b'"url_verification"' in body:
            return web.Response(text=json.loads(body)["challenge"])
        status = self.answers.pop(0) if self.answers else self.always
        if status is None:
            await asyncio.Event().wait()
        text = json.dumps(self.body) if self.body is not None else ""
        return web.Response(status=status or 500, text=text, headers=self.headers)

    def callbacks(self) -> list[Json]:
        return [json.loads(body) for _, body in self.requests]

    def events(self) -> list[Json]:
        return [callback["event"] for callback in self.callbacks()]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def sent(self, header: str) -> list[str | None]:
        return [headers.get(header) for headers, _ in self.requests]


@contextlib.asynccontextmanager
async def served(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """The handler on a free loopback port; yields its URL."""
    application = web.Application()
    application.router.add_post("/slack/events", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await runner.cleanup()


@pytest.fixture
async def app(slack: SlackSimulator) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with served(receiver.handle) as receiver.url:
        slack.use_http(receiver.url)
        yield receiver


async def test_an_event_is_wrapped_and_signed_as_slack_does(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    message = kenji.say(desk, "hello")
    await slack.events.settled()
    (headers, body), callback = app.requests[0], app.callbacks()[0]
    verifier = SignatureVerifier(slack.signing_secret)
    assert verifier.is_valid_request(body, headers)
    assert verifier.is_valid_request(body, headers), "the verifier takes the same request twice"
    assert not verifier.is_valid_request(body + b" ", headers)
    assert (callback["type"], callback["team_id"]) == ("event_callback", slack.workspace.team_id)
    assert callback["event_id"].startswith("Ev")
    assert callback["authorizations"][0]["user_id"] == slack.workspace.app.bot.id
    event = callback["event"]
    assert (event["type"], event["user"], event["channel"]) == ("message", kenji.id, desk.id)
    assert event["ts"] == event["event_ts"] == message.ts
    assert event["channel_type"] == "channel"
    assert event["client_msg_id"]
    assert "X-Slack-Retry-Num" not in headers


async def test_the_url_is_verified_by_a_challenge(slack: SlackSimulator, app: Receiver) -> None:
    assert await slack.transport.verify(app.url)
    assert not await slack.transport.verify(f"{slack.url}/response/none")


async def test_a_refused_event_is_retried_at_once_after_a_minute_and_after_five(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    app.always = 503
    kenji.say(desk, "hello")
    await slack.until(lambda: slack.events.resting)
    assert len(app.requests) == 2
    slack.clock.advance(59)
    assert slack.events.resting
    slack.clock.advance(1)
    await slack.until(lambda: len(app.requests) == 3 and slack.events.resting)
    slack.clock.advance(299)
    assert slack.events.resting
    slack.clock.advance(1)
    await slack.events.settled()
    assert app.sent("X-Slack-Retry-Num") == [None, "1", "2", "3"]
    assert app.sent("X-Slack-Retry-Reason") == [None, *["http_error"] * 3]
    assert len({c["event_id"] for c in app.callbacks()}) == 1
    assert slack.events.deliveries[0].state == "lost"


async def test_an_event_not_answered_within_three_seconds_is_retried(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    app.answers = [None]
    kenji.say(desk, "hello")
    await slack.until(lambda: app.requests)
    slack.clock.advance(2.9)
    assert slack.events.pending == 1
    slack.clock.advance(0.1)
    await slack.events.settled()
    assert app.sent("X-Slack-Retry-Reason") == [None, "http_timeout"]
    assert slack.events.deliveries[0].state == "acknowledged"


async def test_an_unreachable_app_is_told_so_in_the_retry(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    slack.use_http("http://127.0.0.1:9/slack/events")
    kenji.say(desk, "hello")
    await slack.until(lambda: slack.events.resting)
    slack.use_http(app.url)
    await slack.events.settled(leap=True)
    assert app.sent("X-Slack-Retry-Reason") == ["connection_failed"]


async def test_an_app_can_ask_for_no_retry(slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver) -> None:
    app.always, app.headers = 500, {"X-Slack-No-Retry": "1"}
    kenji.say(desk, "hello")
    await slack.events.settled()
    assert len(app.requests) == 1


async def test_delayed_events_come_hourly_for_a_day(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    slack.habits.delayed_events, app.always = True, 500
    kenji.say(desk, "hello")
    await slack.events.settled(leap=True)
    assert len(app.requests) == 1 + 3 + 24
    assert slack.events.deliveries[0].state == "lost"


async def test_more_than_95_percent_failures_disable_the_subscription(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    slack.habits.disable_minimum, slack.habits.message_replied, app.always = 20, False, 500
    for number in range(10):
        kenji.say(desk, f"{number}")
    await slack.until(lambda: slack.events.disabled)
    await slack.events.settled(leap=True)
    heard = len(app.requests)
    kenji.say(desk, "nobody hears this")
    slack.events.enable()
    app.always = 200
    kenji.say(desk, "heard again")
    await slack.events.settled()
    assert [e["text"] for e in app.events()[heard:]] == ["heard again"]


async def test_the_bot_hears_itself(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, app: Receiver
) -> None:
    await post(client, desk, "from the bot")
    await slack.events.settled()
    (event,) = app.events()
    assert (event["bot_id"], event["user"]) == (slack.workspace.app.bot_id, slack.workspace.app.bot.id)
    assert "client_msg_id" not in event


async def test_message_replied_lacks_its_subtype(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    root = kenji.say(desk, "root")
    await slack.events.settled()
    reply = kenji.say(desk, "reply", thread_ts=root.ts)
    await slack.events.settled()
    heard, replied = sorted(app.events()[1:], key=lambda e: "message" in e)
    assert (heard["thread_ts"], heard["parent_user_id"]) == (root.ts, kenji.id)
    assert (replied["type"], "subtype" in replied, replied["hidden"]) == ("message", False, True)
    assert replied["message"]["replies"] == [{"user": kenji.id, "ts": reply.ts}]


async def test_edits_deletions_and_tombstones_have_their_shapes(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    slack.habits.message_replied = False
    root = kenji.say(desk, "root")
    reply = kenji.say(desk, "reply", thread_ts=root.ts)
    kenji.edit(desk, reply, "better")
    kenji.delete(desk, root)
    kenji.delete(desk, reply)
    await slack.events.settled()
    edited = next(e for e in app.events() if e.get("message", {}).get("text") == "better")
    assert (edited["subtype"], edited["previous_message"]["text"]) == ("message_changed", "reply")
    assert edited["message"]["edited"]["user"] == kenji.id
    assert edited["message"]["ts"] == reply.ts != edited["ts"]
    buried = next(e for e in app.events() if e.get("message", {}).get("subtype") == "tombstone")
    assert (buried["subtype"], buried["message"]["ts"]) == ("message_changed", root.ts)
    assert buried["message"]["user"] == "USLACKBOT"
    deleted = next(e for e in app.events() if e.get("subtype") == "message_deleted")
    assert (deleted["deleted_ts"], deleted["previous_message"]["text"]) == (reply.ts, "better")
    assert "user" not in deleted


async def test_other_happenings_have_their_events(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person, app: Receiver
) -> None:
    root = kenji.say(desk, f"<@{slack.workspace.app.bot.id}> help")
    kenji.react(desk, root, "eyes")
    kenji.unreact(desk, root, "eyes")
    kenji.say(desk, "for all", thread_ts=root.ts, broadcast=True)
    slack.person("mai").join(desk)
    slack.person("mai").leave(desk)
    kenji.upload(desk, "x.png", b"x")
    kenji.open_home()
    kenji.rename(desk, "support-jp")
    kenji.archive(desk)
    kenji.unarchive(desk)
    await slack.events.settled()
    assert set(app.types()) == {
        "message", "app_mention", "reaction_added", "reaction_removed", "member_joined_channel",
        "member_left_channel", "file_shared", "app_home_opened", "channel_rename", "channel_archive",
        "channel_unarchive",
    }  # fmt: skip
    subtypes = {e.get("subtype") for e in app.events() if e["type"] == "message"}
    assert subtypes >= {"thread_broadcast", "channel_join", "channel_leave", "file_share", "channel_name"}
    reaction = next(e for e in app.events() if e["type"] == "reaction_added")
    assert reaction["item"] == {"type": "message", "channel": desk.id, "ts": root.ts}
    broadcast = next(e for e in app.events() if e.get("subtype") == "thread_broadcast")
    assert broadcast["root"]["ts"] == root.ts


async def test_an_unfurl_changes_a_message_that_nobody_edited(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    message = kenji.say(desk, "https://x.example")
    slack.happenings.unfurl(desk, message)
    await slack.events.settled()
    changed = next(e for e in app.events() if e.get("subtype") == "message_changed")
    assert "edited" not in changed["message"]
    assert changed["message"]["text"] == changed["previous_message"]["text"]
    assert changed["message"]["attachments"][0]["from_url"] == "https://x.example"


async def test_strangers_have_another_team(slack: SlackSimulator, desk: Channel, app: Receiver) -> None:
    desk.is_shared = True
    slack.person("visitor", stranger=True).say(desk, "hello")
    await slack.events.settled()
    assert app.events()[0]["team"] != slack.workspace.team_id
    assert app.callbacks()[0]["is_ext_shared_channel"] is True


async def test_nothing_is_heard_of_channels_the_bot_is_not_in(
    slack: SlackSimulator, kenji: Person, app: Receiver
) -> None:
    kenji.say(slack.channel("elsewhere", bot=False), "secret")
    await slack.events.settled()
    assert app.requests == []


# --- mischief with events -----------------------------------------------------------------------------------------


async def test_one_message_may_come_under_different_event_ids(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    slack.mischief.add(Fault.DUPLICATE, "message", copies=10)
    message = kenji.say(desk, "hello")
    await slack.events.settled()
    assert len({c["event_id"] for c in app.callbacks()}) == 11
    assert {e["ts"] for e in app.events()} == {message.ts}


async def test_events_may_overtake_one_another(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    slack.mischief.add(Fault.REORDER, "message", where=lambda e: e.get("text") == "first")
    first, second = kenji.say(desk, "first"), kenji.say(desk, "second")
    await slack.events.settled()
    assert first.ts < second.ts
    sent = sorted(slack.events.deliveries, key=lambda d: d.sent)
    assert [d.event["text"] for d in sent] == ["second", "first"]


async def test_an_event_may_be_late_lost_or_repeated_although_acknowledged(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    slack.mischief.add(Fault.DELAY, "message", seconds=30, match={"text": "late"})
    slack.mischief.add(Fault.LOSE_EVENT, "message", match={"text": "lost"})
    slack.mischief.add(Fault.RETRY_ACKED, "message", match={"text": "twice"})
    for text in ("late", "lost", "twice"):
        kenji.say(desk, text)
    await slack.until(lambda: slack.events.pending == slack.events.resting == 1)
    assert [e["text"] for e in app.events()] == ["twice", "twice"]
    assert app.sent("X-Slack-Retry-Num") == [None, "1"]
    slack.clock.advance(30)
    await slack.events.settled()
    assert app.events()[-1]["text"] == "late"


# --- mischief with the API ----------------------------------------------------------------------------------------


async def test_the_default_retry_handler_posts_twice_when_the_answer_is_lost(
    slack: SlackSimulator, desk: Channel
) -> None:
    slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage")
    default = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    await default.chat_postMessage(channel=desk.id, text="hello")
    assert [m.text for m in slack.roots(desk)] == ["hello", "hello"]


async def test_without_retry_handlers_a_lost_answer_is_an_error_and_one_post(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await post(client, desk)
    assert len(slack.roots(desk)) == 1
    slack.mischief.add(Fault.LOSE_REQUEST, "chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await post(client, desk)
    assert len(slack.roots(desk)) == 1
    assert [(c.outcome, c.done) for c in slack.calls] == [("lose_answer", True), ("lose_request", False)]


async def test_an_html_502_gives_empty_data(slack: SlackSimulator, client: AsyncWebClient, desk: Channel) -> None:
    slack.mischief.add(Fault.BAD_GATEWAY)
    slack.mischief.add(Fault.BAD_GATEWAY_AFTER)
    for posted in (0, 1):
        with pytest.raises(SlackApiError) as info:
            await post(client, desk)
        assert (info.value.response.status_code, info.value.response.data) == (502, {})
        assert len(slack.roots(desk)) == posted


async def test_internal_error_comes_with_status_200_and_is_not_retried(slack: SlackSimulator, desk: Channel) -> None:
    slack.mischief.add(Fault.INTERNAL_ERROR)
    default = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    with refused("internal_error") as info:
        await default.chat_postMessage(channel=desk.id, text="x")
    assert info.value.response.status_code == 200
    assert len(slack.calls) == 1


async def test_a_hanging_call_ends_by_the_clients_own_deadline(slack: SlackSimulator, desk: Channel) -> None:
    impatient = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=0)
    impatient.timeout = 0.05  # type: ignore[assignment]  # aiohttp takes fractions, the SDK's annotation does not
    slack.mischief.add(Fault.HANG, seconds=60)
    slack.mischief.add(Fault.HANG_AFTER, seconds=60)
    for posted in (0, 1):
        with pytest.raises(TimeoutError):
            await post(impatient, desk)
        assert len(slack.roots(desk)) == posted


async def test_a_given_session_ignores_the_clients_timeout(slack: SlackSimulator, desk: Channel) -> None:
    slack.mischief.add(Fault.SLOW, seconds=0.2)
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])
        client.timeout = 0.01  # type: ignore[assignment]  # as above
        await post(client, desk)


async def test_a_post_may_be_dropped_though_answered(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel
) -> None:
    slack.mischief.add(Fault.DROP_POST)
    assert await post(client, desk)
    assert slack.roots(desk) == []


async def test_mischief_picks_its_calls(slack: SlackSimulator, client: AsyncWebClient, desk: Channel) -> None:
    rule = slack.mischief.add(Fault.ERROR, "chat.postMessage", skip=1, times=1, error="team_is_on_fire")
    slack.mischief.add(Fault.INTERNAL_ERROR, match={"channel": "C404"}, times=None)
    await post(client, desk)
    with refused("team_is_on_fire"):
        await post(client, desk)
    await post(client, desk)
    assert rule.fired == 1
    for _ in range(3):
        with refused("internal_error"):
            await client.chat_postMessage(channel="C404", text="x")


async def test_chance_is_repeatable_by_its_seed(slack: SlackSimulator, client: AsyncWebClient) -> None:
    async def outcomes() -> list[str]:
        slack.mischief.reseed(7)
        return [await _outcome(client, "auth.test", {}) for _ in range(20)]

    slack.mischief.add(Fault.INTERNAL_ERROR, probability=0.5, times=None)
    first = await outcomes()
    assert set(first) == {"ok", "internal_error"}
    assert await outcomes() == first


async def test_a_slow_api_is_slow_for_all_at_once(slack: SlackSimulator, client: AsyncWebClient) -> None:
    slack.mischief.add(Fault.SLOW, times=None, seconds=0.05)
    await asyncio.gather(*(client.auth_test() for _ in range(40)))
    arrived = [c.received for c in slack.calls]
    answered = [c.answered for c in slack.calls]
    assert max(arrived) < max(answered)
    overlapping = sum(1 for a in arrived if a < min(answered))
    assert overlapping > 1, "the second call came in before the first was answered"


# --- interactions -------------------------------------------------------------------------------------------------


def bolt_handler(bolt: AsyncApp) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    return handle


@contextlib.asynccontextmanager
async def bolt_over_http(slack: SlackSimulator) -> AsyncIterator[AsyncApp]:
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    bolt = AsyncApp(client=client, signing_secret=slack.signing_secret)
    async with served(bolt_handler(bolt)) as url:
        slack.use_http(url)
        yield bolt


async def test_a_click_carries_its_message_and_a_trigger(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    clicks: list[Json] = []
    async with bolt_over_http(slack) as bolt:

        @bolt.action("claim")
        async def claim(ack: Any, body: Json) -> None:
            await ack()
            clicks.append(body)

        ts = await post(client, desk, "card", blocks=[actions(button(value="K7Q2"))])
        outcome = await kenji.click(desk, ts, "Claim")
    assert outcome.ok
    (body,) = clicks
    assert (body["user"]["id"], body["channel"]["id"], body["message"]["ts"]) == (kenji.id, desk.id, ts)
    assert body["actions"][0]["value"] == "K7Q2"
    assert body["actions"][0]["action_ts"]
    assert body["container"]["message_ts"] == ts
    assert body["trigger_id"]
    assert body["response_url"].startswith(slack.url)


async def test_a_click_nobody_answers_is_not_retried(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person, app: Receiver
) -> None:
    ts = await post(client, desk, "card", blocks=[actions(button())])
    await slack.events.settled()
    app.requests.clear()
    app.always = 500
    outcome = await kenji.click(desk, ts, "claim")
    assert (outcome.ok, outcome.status) == (False, 500)
    assert len(app.requests) == 1
    with pytest.raises(LookupError, match="no button"):
        await kenji.click(desk, ts, "resolve")


async def test_a_menu_gives_its_selected_option(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    chosen: list[str] = []
    menu = {
        "type": "overflow",
        "action_id": "more",
        "options": [{"text": {"type": "plain_text", "text": t}, "value": t} for t in ("hold", "transfer")],
    }
    async with bolt_over_http(slack) as bolt:

        @bolt.action("more")
        async def more(ack: Any, action: Json) -> None:
            await ack()
            chosen.append(action["selected_option"]["value"])

        ts = await post(client, desk, "card", blocks=[actions(menu)])
        await kenji.click(desk, ts, "more", value="transfer")
    assert chosen == ["transfer"]


async def test_a_modal_opens_within_three_seconds_once_and_is_submitted(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    submitted: list[Json] = []
    text_input = {"type": "plain_text_input", "action_id": "words"}
    label = {"type": "plain_text", "text": "Note"}
    view = {
        "type": "modal", "callback_id": "note", "title": label, "submit": label, "private_metadata": "K7Q2",
        "blocks": [{"type": "input", "block_id": "note", "label": label, "element": text_input}],
    }  # fmt: skip
    async with bolt_over_http(slack) as bolt:

        @bolt.action("claim")
        async def claim(ack: Any, body: Json) -> None:
            await client.views_open(trigger_id=body["trigger_id"], view=view)
            with refused("exchanged_trigger_id"):
                await client.views_open(trigger_id=body["trigger_id"], view=view)
            await ack()

        @bolt.view("note")
        async def note(ack: Any, view: Json) -> None:
            submitted.append(view)
            words = view["state"]["values"]["note"]["words"]["value"]
            await (ack() if words != "?" else ack(response_action="errors", errors={"note": "say something"}))

        ts = await post(client, desk, "card", blocks=[actions(button())])
        assert (await kenji.click(desk, ts, "claim")).ok
        with pytest.raises(ValueError, match="must be filled in"):
            await kenji.submit({})
        refusal = await kenji.submit({"words": "?"})
        assert refusal.answer["errors"] == {"note": "say something"}
        assert kenji.modal().body["callback_id"] == "note"
        await kenji.submit({"words": "called the bank"})
    assert submitted[-1]["private_metadata"] == "K7Q2"
    with pytest.raises(LookupError):
        kenji.modal()


async def test_views_are_checked(slack: SlackSimulator, client: AsyncWebClient, kenji: Person) -> None:
    title = {"type": "plain_text", "text": "Title"}
    good: Json = {"type": "modal", "title": title, "blocks": [{"type": "divider"}] * 100}

    async def opened(view: Json) -> Any:
        return await client.views_open(trigger_id=slack.interactions.mint_trigger(kenji.id), view=view)

    view = (await opened(good))["view"]
    for wrong in (
        {"blocks": [{"type": "divider"}] * 101},
        {"private_metadata": "x" * 3_001},
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"type": "home"},
        {"blocks": [{"type": "input", "label": title, "element": {"type": "plain_text_input", "action_id": "x"}}]},
    ):
        with refused("invalid_arguments"):
            await opened(good | wrong)
    with refused("invalid_trigger_id"):
        await client.views_open(trigger_id="1.2", view=good)
    late = slack.interactions.mint_trigger(kenji.id)
    slack.clock.advance(3.1)
    with refused("expired_trigger_id"):
        await client.views_open(trigger_id=late, view=good)
    await client.views_update(view_id=view["id"], hash=view["hash"], view=good)
    with refused("hash_conflict"):
        await client.views_update(view_id=view["id"], hash=view["hash"], view=good)


async def test_the_home_tab_is_published_and_pressed(
    slack: SlackSimulator, client: AsyncWebClient, kenji: Person, app: Receiver
) -> None:
    view = {"type": "home", "blocks": [actions(button())]}
    await client.views_publish(user_id=kenji.id, view=view)
    kenji.open_home()
    assert (await kenji.click_home("claim")).ok
    await slack.events.settled()
    assert b"app_home_opened" in app.requests[0][1] + app.requests[1][1]


async def test_without_the_tab_there_is_no_home_and_without_the_other_no_direct_message(kenji: Person) -> None:
    """As a manifest without `features.app_home` makes the app."""
    async with SlackSimulator(manifest={"oauth_config": {"scopes": {"bot": ["chat:write", "commands"]}}}) as bare:
        somebody = bare.person("somebody")
        client = AsyncWebClient(bare.bot_token, base_url=bare.api_url)
        with refused("not_enabled"):
            await client.views_publish(user_id=somebody.id, view={"type": "home", "blocks": []})
        with refused("messages_tab_disabled"):
            await client.chat_postMessage(channel=somebody.id, text="x")
        for tab in ("home", "messages"):
            with pytest.raises(LookupError):
                somebody.open_home(tab)
        await somebody.slash(bare.channel("a"), "/unheard", "of")
        assert bare.workspace.ephemerals[-1].text == "/unheard is not a valid command."


async def test_a_command_in_a_thread_is_refused_by_slack_itself(
    slack: SlackSimulator, desk: Channel, kenji: Person, app: Receiver
) -> None:
    root = kenji.say(desk, "root")
    await slack.events.settled()
    heard = len(app.requests)
    outcome = await kenji.slash(desk, "/chat", "mine", thread_ts=root.ts)
    assert not outcome.ok
    assert slack.workspace.ephemerals[-1].thread_ts == root.ts
    assert len(app.requests) == heard


@pytest.mark.parametrize(
    "element",
    [
        {"type": "text", "text": ""},
        {"type": "link", "text": "x"},
        {"type": "date", "timestamp": "1", "format": "{time}"},
        {"type": "date", "timestamp": 1},
        {"type": "unheard_of"},
    ],
)
async def test_rich_text_is_looked_into(client: AsyncWebClient, desk: Channel, element: Json) -> None:
    section = {"type": "rich_text_section", "elements": [element]}
    for elements in ([section], [{"type": "rich_text_list", "style": "bullet", "elements": [section]}]):
        with refused("invalid_blocks"):
            await post(client, desk, "x", blocks=[{"type": "rich_text", "elements": elements}])


async def test_a_response_url_works_five_times_in_thirty_minutes(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    ts = await post(client, desk, "card", blocks=[actions(button())])
    message = slack.message(desk, ts)

    def url() -> str:
        return slack.interactions.mint_response_url(desk, kenji.id, message)

    hook = AsyncWebhookClient(url())
    assert (await hook.send(text="only for you")).status_code == 200
    assert slack.workspace.ephemerals[-1].text == "only for you"
    await hook.send(text="for all", response_type="in_channel")
    assert slack.seen(slack.roots(desk)[-1]) == "for all"
    await hook.send(text="claimed", replace_original=True)
    assert slack.seen(slack.message(desk, ts)) == "claimed"
    await hook.send(text="4")
    await hook.send(text="5")
    assert (await hook.send(text="6")).status_code == 404
    late = AsyncWebhookClient(url())
    slack.clock.advance(1_801)
    assert "expired_url" in (await late.send(text="x")).body
    await AsyncWebhookClient(url()).send(text="", delete_original=True)
    assert ts not in desk.messages


async def test_slash_commands_and_shortcuts_reach_bolt(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    said: list[str] = []
    async with bolt_over_http(slack) as bolt:

        @bolt.command("/kakehashi")
        async def command(ack: Any, command: Json) -> None:
            said.append(f"{command['command']} {command['text']} in {command['channel_name']}")
            await ack("two sessions")

        @bolt.message_shortcut("as_note")
        async def as_note(ack: Any, shortcut: Json) -> None:
            said.append(shortcut["message"]["text"])
            await ack()

        @bolt.global_shortcut("status")
        async def status(ack: Any, shortcut: Json) -> None:
            said.append(shortcut["callback_id"])
            await ack()

        message = kenji.say(desk, "a message")
        await kenji.slash(desk, "/kakehashi", "list")
        await kenji.message_shortcut(desk, message, "as_note")
        await kenji.shortcut("status")
    assert said == ["/kakehashi list in support-ja", "a message", "status"]
    assert slack.workspace.ephemerals[-1].text == "two sessions"


@pytest.mark.parametrize(("filtered", "expected"), [(True, ["marker"]), (False, ["message_deleted", "marker"])])
async def test_bolts_self_filter_swallows_a_humans_deletion_of_the_bots_message(
    slack: SlackSimulator, desk: Channel, kenji: Person, filtered: bool, expected: list[str]
) -> None:
    heard: list[str] = []
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    bolt = AsyncApp(client=client, signing_secret=slack.signing_secret, ignoring_self_events_enabled=filtered)

    @bolt.event("message")
    async def message(event: Json) -> None:
        heard.append(event.get("subtype") or event["text"])

    slack.habits.self_events = False
    ts = await post(client, desk)
    async with served(bolt_handler(bolt)) as url:
        slack.use_http(url)
        kenji.delete(desk, ts)
        await slack.events.settled()
        kenji.say(desk, "marker")
        await slack.until(lambda: "marker" in heard)
    assert heard == expected


# --- Socket Mode --------------------------------------------------------------------------------------------------


@dataclass
class Listener:
    """One Socket Mode client of the SDK: keeps what came and acknowledges while `acks`."""

    client: SocketModeClient
    heard: list[SocketModeRequest] = field(default_factory=list)
    acks: bool = True

    async def hear(self, _: Any, request: SocketModeRequest) -> None:
        self.heard.append(request)
        if self.acks:
            await self.client.send_socket_mode_response(SocketModeResponse(request.envelope_id))

    def texts(self) -> list[str]:
        return [r.payload["event"].get("text", "") for r in self.heard]


async def dial(client: SocketModeClient) -> None:
    await client.connect()  # type: ignore[no-untyped-call]  # slack_sdk leaves it untyped


async def hang_up(client: SocketModeClient) -> None:
    await client.close()  # type: ignore[no-untyped-call]  # as above


Connect = Callable[[], Awaitable[Listener]]


@pytest.fixture
async def connect(slack: SlackSimulator) -> AsyncIterator[Connect]:
    clients: list[SocketModeClient] = []

    async def connected() -> Listener:
        web_client = AsyncWebClient(base_url=slack.api_url)
        client = SocketModeClient(slack.app_token, web_client=web_client, ping_interval=0.1)
        clients.append(client)
        listener = Listener(client)
        client.socket_mode_request_listeners.append(listener.hear)
        before = len(slack.sockets.connections)
        await dial(client)
        await slack.until(lambda: len(slack.sockets.connections) > before)
        return listener

    yield connected
    for client in clients:
        await hang_up(client)


async def test_bolt_hears_over_a_socket(slack: SlackSimulator, desk: Channel, kenji: Person) -> None:
    heard: list[str] = []
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    bolt = AsyncApp(client=client, signing_secret=slack.signing_secret)

    @bolt.event("message")
    async def message(event: Json) -> None:
        heard.append(event["text"])

    handler = AsyncSocketModeHandler(bolt, slack.app_token, ping_interval=1)
    await dial(handler.client)
    kenji.say(desk, "hello")
    await slack.until(lambda: heard == ["hello"])
    await slack.events.settled()
    assert slack.events.deliveries[0].state == "acknowledged"
    await hang_up(handler.client)


async def test_bolt_acknowledges_before_its_listener_has_run_and_leaves_the_unmatched_unacknowledged(
    slack: SlackSimulator, desk: Channel, kenji: Person
) -> None:
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    bolt = AsyncApp(client=client, signing_secret=slack.signing_secret)
    may_end = asyncio.Event()
    ended: list[str] = []

    @bolt.event("message")
    async def message(event: Json) -> None:
        await may_end.wait()
        ended.append(event["text"])

    handler = AsyncSocketModeHandler(bolt, slack.app_token, ping_interval=1)
    await dial(handler.client)
    root = kenji.say(desk, "hello")
    await slack.events.settled()
    assert slack.events.deliveries[0].state == "acknowledged"
    assert ended == [], "a crash now would lose it"
    may_end.set()
    await slack.until(lambda: ended)
    kenji.react(desk, root, "eyes")
    await slack.until(lambda: slack.sockets.connections[0].unacknowledged)
    slack.clock.advance(3)
    await slack.until(lambda: slack.events.deliveries[1].attempts)
    assert not slack.events.deliveries[1].attempts[0].ok
    await hang_up(handler.client)


async def test_each_event_goes_to_any_one_connection(
    slack: SlackSimulator, desk: Channel, kenji: Person, connect: Connect
) -> None:
    one, two = await connect(), await connect()
    for number in range(6):
        kenji.say(desk, f"{number}")
    await slack.events.settled()
    assert sorted(one.texts() + two.texts()) == [f"{n}" for n in range(6)]
    assert one.heard
    assert two.heard
    assert one.heard[0].type == "events_api"
    assert one.heard[0].retry_attempt == 0


async def test_an_unacknowledged_event_goes_to_another_connection(
    slack: SlackSimulator, desk: Channel, kenji: Person, connect: Connect
) -> None:
    one, two = await connect(), await connect()
    one.acks = two.acks = False
    kenji.say(desk, "hello")
    await slack.until(lambda: one.heard or two.heard)
    one.acks = two.acks = True
    slack.clock.advance(3)
    await slack.events.settled()
    (first, second) = sorted(one.heard + two.heard, key=lambda r: r.retry_attempt or 0)
    assert len(one.heard) == len(two.heard) == 1
    assert first.payload["event_id"] == second.payload["event_id"]
    assert first.envelope_id != second.envelope_id
    assert (second.retry_attempt, second.retry_reason) == (1, "timeout")


async def test_a_socket_url_works_once_and_expires(slack: SlackSimulator, client: AsyncWebClient) -> None:
    async def handshake(url: str) -> bool:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(url) as socket:
                    return bool((await socket.receive_json())["type"] == "hello")
            except aiohttp.WSServerHandshakeError:
                return False

    slack.limits.enabled = False
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    assert url.startswith("ws://127.0.0.1:")
    assert [await handshake(url), await handshake(url)] == [True, False]
    late = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    slack.clock.advance(31)
    assert await handshake(late) is False


async def test_a_failed_handshake_retries_the_same_dead_url_for_ever(slack: SlackSimulator) -> None:
    web_client = AsyncWebClient(base_url=slack.api_url)
    client = SocketModeClient(slack.app_token, web_client=web_client, ping_interval=0.01)
    client.wss_uri = await client.issue_new_wss_url()
    slack.sockets.expire_tickets()
    connecting = asyncio.create_task(dial(client))
    await slack.until(lambda: slack.sockets.refused_handshakes >= 5)
    assert len(slack.calls_of("apps.connections.open")) == 1
    client.wss_uri = None  # the mend: a watchdog clears it
    slack.limits.enabled = False
    await slack.until(lambda: slack.sockets.connections)
    assert len(slack.calls_of("apps.connections.open")) == 2
    await connecting
    await hang_up(client)


async def test_an_invalid_app_token_is_retried_for_ever(slack: SlackSimulator) -> None:
    web_client = AsyncWebClient(base_url=slack.api_url)
    client = SocketModeClient("xapp-wrong", web_client=web_client, ping_interval=0.01)
    connecting = asyncio.create_task(dial(client))
    await slack.until(lambda: len(slack.calls_of("apps.connections.open")) >= 5)
    assert {c.outcome for c in slack.calls} == {"invalid_auth"}
    assert not connecting.done()
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    await hang_up(client)


async def test_an_eleventh_connection_is_sent_away(slack: SlackSimulator, client: AsyncWebClient) -> None:
    slack.limits.enabled = False
    async with aiohttp.ClientSession() as session:
        sockets = []
        for _ in range(11):
            url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
            sockets.append(await session.ws_connect(url))
        hellos = [await s.receive_json() for s in sockets]
        assert [h["type"] for h in hellos] == ["hello"] * 10 + ["disconnect"]
        assert hellos[0]["num_connections"] == 1
        assert hellos[10]["reason"] == "too_many_websockets"
        for socket in sockets:
            await socket.close()


async def test_the_old_socket_closes_before_the_new_one_opens(
    slack: SlackSimulator, desk: Channel, kenji: Person, connect: Connect
) -> None:
    slack.limits.enabled = False
    await connect()
    (old,) = slack.sockets.connections
    counts: list[int] = []

    def opened_again() -> bool:
        counts.append(len(slack.sockets.connections))
        return counts[-1] > 0 and 0 in counts

    await old.disconnect("refresh_requested")
    await slack.until(opened_again)
    assert slack.sockets.connections[0].number != old.number


async def test_a_warning_comes_ten_seconds_ahead(
    slack: SlackSimulator, client: AsyncWebClient, desk: Channel, kenji: Person
) -> None:
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        slack.spawn(slack.sockets.disconnect_all("warning"))
        assert (await socket.receive_json())["reason"] == "warning"
        kenji.say(desk, "not here any more")
        await slack.until(lambda: slack.events.deliveries[0].attempts)
        assert not slack.events.deliveries[0].attempts[0].ok
        slack.clock.advance(10)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_disabled_link_gives_out_addresses_and_sends_whoever_opens_one_away(
    slack: SlackSimulator, connect: Connect
) -> None:
    """The SDK then tries again without a pause."""
    slack.limits.enabled = False
    await connect()
    await slack.sockets.disconnect_all("link_disabled")
    await slack.until(lambda: slack.sockets.sent_away > 5)
    assert slack.sockets.connections == []


@pytest.mark.parametrize("fault", [Fault.CUT_ENVELOPE, Fault.CUT_AFTER_ENVELOPE])
async def test_a_socket_cut_in_mid_envelope_gets_the_event_again(
    slack: SlackSimulator, desk: Channel, kenji: Person, connect: Connect, fault: Fault
) -> None:
    slack.limits.enabled = False
    listener = await connect()
    slack.mischief.add(fault, "events_api")
    kenji.say(desk, "hello")
    await slack.until(lambda: slack.events.resting and slack.sockets.connections)
    await slack.events.settled(leap=True)
    assert set(listener.texts()) == {"hello"}
    assert [a.ok for a in slack.events.deliveries[0].attempts] == [False, False, True]


async def test_a_deaf_socket_swallows_what_it_is_sent(
    slack: SlackSimulator, desk: Channel, kenji: Person, connect: Connect
) -> None:
    one, two = await connect(), await connect()
    for connection in slack.sockets.connections:
        connection.deafen()
    kenji.say(desk, "hello")
    await slack.until(lambda: any(c.unacknowledged for c in slack.sockets.connections))
    slack.clock.advance(3)
    await slack.until(lambda: slack.events.deliveries[0].attempts)
    assert one.heard == two.heard == []
    assert await one.client.is_connected(), "its pings are answered: the client notices nothing"


async def test_a_socket_without_pongs_is_replaced_by_the_sdk(slack: SlackSimulator, connect: Connect) -> None:
    slack.limits.enabled = False
    await connect()
    (old,) = slack.sockets.connections
    old.deafen(answers_pings=False)
    await slack.until(lambda: slack.sockets.connections and slack.sockets.connections[-1].number != old.number)


async def test_without_any_socket_events_wait_for_their_retries(
    slack: SlackSimulator, desk: Channel, kenji: Person, connect: Connect
) -> None:
    kenji.say(desk, "said while the app was down")
    await slack.until(lambda: slack.events.resting)
    listener = await connect()
    await slack.events.settled(leap=True)
    assert listener.texts() == ["said while the app was down"]
    assert listener.heard[0].retry_attempt == 2


async def test_an_answer_may_ride_on_the_acknowledgement(
    slack: SlackSimulator, desk: Channel, kenji: Person, connect: Connect
) -> None:
    listener = await connect()

    async def answer(_: Any, request: SocketModeRequest) -> None:
        assert request.accepts_response_payload
        reply = SocketModeResponse(request.envelope_id, payload={"text": "two sessions"})
        await listener.client.send_socket_mode_response(reply)

    listener.client.socket_mode_request_listeners[:] = [answer]
    outcome: Outcome = await kenji.slash(desk, "/kakehashi", "list")
    assert outcome.answer == {"text": "two sessions"}
    assert slack.workspace.ephemerals[-1].user == kenji.id


# --- from outside -------------------------------------------------------------------------------------------------


async def test_it_runs_as_a_process_of_its_own() -> None:
    async with SlackProcess("--no-limits", "--channel", "support-ja") as slack:
        state, channel = slack.state, slack.state["channels"]["support-ja"]
        client = AsyncWebClient(state["bot_token"], base_url=state["api_url"], retry_handlers=[])
        ts = (await client.chat_postMessage(channel=channel, text="card"))["ts"]
        note = await anext(slack.watch(after=0))
        assert (note["kind"], note["ts"], note["text"]) == ("post", ts, "card")
        assert note["received"] <= note["accepted"] <= time.perf_counter()
        await slack.do("say", person="kenji", channel=channel, text="hi", thread_ts=ts)
        assert (await slack.do("thread", channel=channel, ts=ts))["texts"] == ["hi"]
        assert [m["ts"] for m in (await slack.do("roots", channel="support-ja"))["messages"]] == [ts]
        (call,) = (await slack.do("calls", method="chat.postMessage"))["calls"]
        assert call["outcome"] == "ok"
        with pytest.raises(ValueError, match="no channel"):
            await slack.do("say", channel="nowhere", text="x")


async def test_all_powers_can_be_reached_from_outside(slack: SlackSimulator, client: AsyncWebClient) -> None:
    async with aiohttp.ClientSession(slack.url) as session:

        async def do(verb: str, **args: Any) -> Json:
            async with session.post(f"/_sim/{verb}", json=args) as response:
                answer: Json = await response.json()
                assert response.status == 200, answer
                return answer

        receiver = Receiver()
        async with served(receiver.handle) as url:
            assert (await do("deliver", url=url, verify=True))["verified"] is True
            receiver.requests.clear()
            channel = (await do("channel", names=["a", "b"]))["ids"]["a"]
            said = await do("say", person="kenji", channel="a", text="hi")
            await do("edit", person="kenji", channel="a", ts=said["ts"], text="ho")
            await do("unfurl", channel="a", ts=said["ts"])
            await do("react", person="mai", channel="a", ts=said["ts"], name="eyes")
            await do("upload", person="kenji", channel="a", name="x.png", base64="eA==")
            await do("delete", person="mai", channel="a", ts=said["ts"])
            assert (await do("settled"))["settled"] is True
            heard = {e.get("subtype", e["type"]) for e in receiver.events()}
            assert heard >= {"message", "message_changed", "reaction_added", "file_share", "message_deleted"}
            assert len((await do("deliveries"))["deliveries"]) == len(receiver.requests)
            ts = (await client.chat_postMessage(channel=channel, text="x", blocks=[actions(button())]))["ts"]
            assert (await do("click", person="mai", channel="a", ts=ts, action="claim"))["ok"] is True
            assert (await do("slash", person="mai", channel="a", command="/k"))["ok"] is True
            assert (await do("shortcut", person="mai", channel="a", ts=ts, callback_id="x"))["ok"] is True
            posts = (await do("posts", after=0, timeout=5))["posts"]
            assert [p["ts"] for p in posts] == [ts]
        await do("mischief", fault="internal_error", target="auth.test", times=1)
        with refused("internal_error"):
            await client.auth_test()
        assert (await do("mischief", clear=True))["rules"] == []
        await do("manage", channel="a", action="archive")
        with refused("is_archived"):
            await client.chat_postMessage(channel=channel, text="x")
        await do("habits", share_delay=0, retry_delays=[0, 1])
        assert list(slack.habits.retry_delays) == [0, 1]
        await do("limits", enabled=False)
        before = slack.clock.now()
        assert (await do("clock", advance=60))["now"] == before + 60
        await do("token", action="revoke")
        with refused("token_revoked"):
            await client.auth_test()
        assert (await do("sockets", action="drop"))["connections"] == 0
        async with session.post("/_sim/nonsense") as response:
            assert response.status == 404
