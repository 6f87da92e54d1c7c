"""A session moves from Slack to Discord, to the desk and back: words, notes, edits and erasure go along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bridge.messages import Body, FilePart, TextPart
from bridge.quotations import quotation
from routing.ids import InputKey, MessageId
from routing.inputs import (
    CustomerRevised,
    CustomerWithdrew,
    ErasureOrdered,
    OperatorReplied,
    OperatorRevised,
    OperatorTransferred,
    OperatorWithdrew,
    PurgeReason,
)
from tests.integration.moving_house import AT_THE_DESK, DISCORD, KENJI, ON_DISCORD, ON_SLACK, House, house
from tests.simulators.discord import Channel, DiscordSimulator
from tests.simulators.discord.permissions import BOT
from tests.simulators.slack import SlackSimulator

TO_DISCORD = OperatorTransferred(KENJI, ON_DISCORD)
TO_SLACK = OperatorTransferred(KENJI, ON_SLACK)

everywhere = pytest.mark.parametrize("place", ["forum", "text"], indirect=True)
"""For what depends on where a card stands."""


@pytest.fixture
async def discord() -> AsyncIterator[DiscordSimulator]:
    async with DiscordSimulator(limits=False) as simulator:
        yield simulator


@pytest.fixture
def place(request: pytest.FixtureRequest, discord: DiscordSimulator) -> Channel:
    channel = discord.channel("help", getattr(request, "param", "forum"), private=True)
    discord.allow(channel, discord.person("kenji").id, BOT, quietly=True)
    return channel


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, discord: DiscordSimulator, place: Channel
) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, slack, discord, place) as one:
        yield one


async def test_the_talk_goes_on_at_the_other_network_and_comes_back_with_its_history(here: House) -> None:
    await here.writes("I cannot withdraw <@123> @everyone")
    root = await here.root()
    here.on_slack.say(here.channel, "Let me *look*", thread_ts=root.ts)
    await here.reads("Let me *look*")
    await here.notes("he called before")
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.delivered()
    (before,) = here.in_discord(thread)
    said = ("Hanako", "I cannot withdraw <@123> @everyone", "Kenji", "Let me", "Kenji (note)", "he called before")
    assert [before.find(one) for one in said] == sorted(before.find(one) for one in said)
    assert said[0] in before
    (shown,) = (one for one in here.discord.messages(thread) if one.id != thread.id)
    assert (shown.pings, {act.kind for act in here.discord.acts(shown)} - {"subtext", "bold", "quote", "italic"}) == (
        [],
        set(),
    )
    here.on_discord.say(thread, "Solved it")
    await here.reads("Let me *look*", "Solved it")
    await here.does(TO_SLACK)
    second = await here.root(1)
    await here.delivered()
    (again,) = here.in_slack(second)
    assert [one for one in ("I cannot withdraw", "Let me", "he called before", "Solved it") if one not in again] == []
    here.on_slack.say(here.channel, "Anything else?", thread_ts=second.ts)
    await here.reads("Let me *look*", "Solved it", "Anything else?")


@everywhere
async def test_the_old_thread_points_to_the_new_one_and_its_card_can_do_nothing_any_more(here: House) -> None:
    await here.writes("hello")
    root = await here.root()
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.delivered()
    pointer = next(one for one in here.slack.replies(here.channel, root.ts) if "moved" in here.slack.seen(one))
    assert {link.url for link in pointer.links} == {f"https://discord.com/channels/{here.discord.guild.id}/{thread.id}"}
    assert "Help on Discord" in here.slack.seen(pointer)
    await here.slack.until(lambda: all(block["type"] != "actions" for block in root.blocks))
    await here.does(TO_SLACK)
    second = await here.root(1)
    await here.delivered()
    (moved,) = (one for one in here.discord.messages(thread) if "moved" in here.discord.seen(one))
    assert f"p{second.ts.replace('.', '')}" in moved.content
    card = thread.messages.get(thread.id) or here.place.messages[thread.id]
    buttons = [one for row in card.components for one in row["components"]]
    assert [one.get("disabled") for one in buttons] == [True]


async def test_who_goes_on_in_an_old_thread_is_shown_the_way(here: House) -> None:
    await here.writes("hello")
    root = await here.root()
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.delivered()
    here.on_slack.say(here.channel, "too late", thread_ts=root.ts)
    await here.slack.until(lambda: here.slack.calls_of("chat.postEphemeral"))
    (told,) = (str(call.args) for call in here.slack.calls_of("chat.postEphemeral"))
    assert str(thread.id) in told
    await here.does(TO_SLACK)
    second = await here.root(1)
    await here.delivered()
    late = here.on_discord.say(thread, "too late, too")
    await here.discord.until(lambda: any("Not sent" in one for one in here.in_discord(thread)))
    (answer,) = (one for one in here.discord.messages(thread) if "Not sent" in here.discord.seen(one))
    assert f"p{second.ts.replace('.', '')}" in answer.content
    assert answer.reference is not None
    assert answer.reference["message_id"] == late.id
    assert await here.replies_seen() == []


@everywhere
async def test_edits_and_withdrawals_of_what_was_said_before_reach_both_threads(here: House) -> None:
    first, second = await here.writes("send it to 123"), await here.writes("my password is x")
    root = await here.root()
    said, note = await here.replies("On Monday"), await here.notes("a fool")
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.delivered()
    await here.customer(CustomerRevised(first, 1), Body((TextPart("send it to 456"),)))
    await here.customer(CustomerWithdrew(second))
    await here.does(OperatorRevised(said, KENJI, 1), Body((TextPart("On Tuesday"),)))
    await here.does(OperatorWithdrew(note, KENJI))
    await here.delivered()
    (told,) = here.in_discord(thread)
    assert ("456" in told, "123" in told, "password" in told) == (True, False, False)
    assert ("Tuesday" in told, "Monday" in told, "fool" in told) == (True, False, False)
    assert not any("password" in one or "fool" in one for one in here.in_slack(root))
    assert any("456" in one for one in here.in_slack(root))
    third = await here.writes("and the fee?")
    await here.delivered()
    await here.does(TO_SLACK)
    back = await here.root(1)
    await here.delivered()
    await here.customer(CustomerRevised(third, 1), Body((TextPart("and the costs?"),)))
    await here.customer(CustomerRevised(first, 2), Body((TextPart("send it to 789"),)))
    await here.delivered()
    (told,) = here.in_slack(back)
    assert ("costs" in told, "fee" in told, "789" in told, "456" in told) == (True, False, True, False)
    assert any("costs" in one for one in here.in_discord(thread))
    assert "789" in here.in_discord(thread)[0]


async def test_what_a_reply_quotes_is_taken_back_in_every_thread_with_its_message(here: House) -> None:
    said = await here.writes("my password is x")
    root = await here.root()
    above = quotation(said, Body((TextPart("my password is x"),)))
    assert above is not None
    await here.does(OperatorReplied(MessageId("r:quoting"), KENJI), Body((above, TextPart("Do not tell us that"))))
    await here.delivered()
    assert len([one for one in here.in_slack(root) if "password" in one]) == 2
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.delivered()
    (told,) = here.in_discord(thread)
    assert told.count("password") == 2
    await here.customer(CustomerWithdrew(said))
    await here.delivered()
    (told,) = here.in_discord(thread)
    assert ("password" in told, "Do not tell us that" in told) == (False, True)
    assert not any("password" in one for one in here.in_slack(root))
    assert any("Do not tell us that" in one for one in here.in_slack(root))
    # Who had read it before and sends only now quotes nothing any more.
    await here.does(OperatorReplied(MessageId("r:late"), KENJI), Body((above, TextPart("Change it"))))
    assert await here.replies_seen() == ["Do not tell us that", "Do not tell us that", "Change it"]


async def test_an_operators_edit_in_the_old_thread_reaches_the_customer_and_the_new_one(here: House) -> None:
    await here.writes("hello")
    root = await here.root()
    said = here.on_slack.say(here.channel, "On Monday", thread_ts=root.ts)
    await here.reads("On Monday")
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.delivered()
    here.on_slack.edit(here.channel, said, "On Tuesday")
    await here.discord.until(lambda: "On Tuesday" in here.in_discord(thread)[0])
    assert "On Monday" not in here.in_discord(thread)[0]
    assert (await here.replies_seen())[-1] == "On Tuesday"


async def test_a_press_in_the_old_thread_is_refused_and_shows_the_way(here: House, discord: DiscordSimulator) -> None:
    await here.writes("hello")
    await here.root()
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.delivered()
    here.on_discord.say(thread, f"<@{discord.guild.owner.id}> he is difficult")
    await here.discord.until(lambda: any("stays inside" in one for one in here.in_discord(thread)))
    (offer,) = (one for one in discord.messages(thread) if "stays inside" in discord.seen(one))
    await here.does(TO_SLACK)
    second = await here.root(1)
    await here.delivered()
    outcome = await here.on_discord.click(thread, offer, "Send to customer")
    assert f"p{second.ts.replace('.', '')}" in str(outcome)
    assert await here.replies_seen() == []


async def test_what_is_said_after_the_move_is_no_part_of_the_history(here: House) -> None:
    first = await here.writes("before")
    await here.root()
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.writes("after")
    await here.delivered()
    await here.customer(CustomerRevised(first, 1), Body((TextPart("long before"),)))
    await here.delivered()
    told, after = here.in_discord(thread)
    assert ("long before" in told, "after" in told, "after" in after) == (True, False, True)


async def test_a_long_history_stands_in_few_posts_and_the_latest_of_it(here: House) -> None:
    for number in range(12):
        await here.writes(f"number {number} " + "long words " * 300)
    await here.root()
    await here.delivered()
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.delivered()
    told = here.in_discord(thread)
    assert len(told) == 5
    assert "on the desk page" in told[0]
    assert "number 11" in told[-1]
    assert "(5/5)" in told[-1]


async def test_a_file_goes_along_by_name_and_is_gone_from_both_when_it_is_removed(here: House) -> None:
    picture = BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    kept = await here.files.put("customer:main/~visitor", "passport.png", picture.getvalue(), "k1")
    await here.writes("here", FilePart(kept.file_id, kept.name, kept.media_type, kept.size))
    await here.root()
    await here.delivered()
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.delivered()
    assert "[passport.png]" in here.in_discord(thread)[0]
    await here.purges.order(await here.session(), kept.file_id, PurgeReason.CREDENTIALS, KENJI)
    await here.delivered()
    assert "passport" not in here.in_discord(thread)[0]


async def test_words_that_wait_stay_behind_and_come_along_as_a_note(here: House, slack: SlackSimulator) -> None:
    await here.writes("hello")
    root = await here.root()
    slack.person("stranger").say(here.channel, "I am from sales", thread_ts=root.ts)
    await here.slack.until(
        lambda: any("Send in my name" in str(one.blocks) for one in slack.replies(here.channel, root.ts))
    )
    await here.does(TO_DISCORD)
    thread = await here.thread()
    await here.delivered()
    (told,) = here.in_discord(thread)
    assert "(note)" in told
    assert "I am from sales" in told
    assert await here.replies_seen() == []


@everywhere
async def test_an_erasure_reaches_every_thread_that_the_session_ever_had(here: House) -> None:
    await here.writes("my secret")
    await here.root()
    await here.does(TO_DISCORD)
    await here.thread()
    await here.delivered()
    await here.does(TO_SLACK)
    await here.root(1)
    await here.delivered()
    session = (await here.session()).session.id
    await here.relay.from_bridge(session, ErasureOrdered(), InputKey("erase/1"))
    await here.store.erase(session)
    await here.delivered()
    assert here.slack.roots(here.channel) == []
    assert here.discord.threads(here.place) == []
    assert not any("secret" in here.discord.seen(one) for one in here.discord.messages(here.place))


async def test_the_way_to_the_built_in_desk_is_a_link_too(here: House) -> None:
    await here.writes("hello")
    root = await here.root()
    await here.does(OperatorTransferred(KENJI, AT_THE_DESK))
    await here.delivered()
    (pointer,) = (one for one in here.slack.replies(here.channel, root.ts) if "moved" in here.slack.seen(one))
    code = (await here.session()).session.code
    assert {link.url for link in pointer.links} == {f"https://desk.example.com/#{code}"}


async def test_a_pointer_does_not_wait_for_a_network_that_is_away(
    here: House, discord: DiscordSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.networks.whereabouts.OPENED_WITHIN", 0.3)
    await here.writes("hello")
    root = await here.root()
    discord.go_down()
    await here.does(TO_DISCORD)
    await here.slack.until(lambda: any("moved to Help on Discord" in one for one in here.in_slack(root)))
    session = (await here.session()).session
    assert await here.store.lane_states(session.id, DISCORD) is not None
    discord.come_back()
    thread = await here.thread()
    await here.delivered()
    assert "hello" in here.in_discord(thread)[0]
