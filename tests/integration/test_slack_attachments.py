"""Attachments that Slack must not have, and those that must be gone: what the simulator holds in the end counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Stored
from bridge.purges import PurgeError
from routing.effects import FILES
from routing.facts import HeldWordsRevised
from routing.ids import DeskId, InputKey, OperatorId
from routing.inputs import CustomerRevised, OperatorSent, OperatorTransferred, PurgeReason
from routing.policy import Attachments
from tests.integration.slack_house import House, house
from tests.simulators.slack import Fault, Person, SlackSimulator
from tests.unit.adapters.files.samples import png

HELD = {"attachments": Attachments.HELD}


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, slack, ping=5.0) as one:
        yield one


async def picture(here: House, key: str = "k1", name: str = "Hanako-passport.png", width: int = 8) -> FilePart:
    kept = await here.files.put("customer:main/~visitor", name, png(width), key)
    return FilePart(kept.file_id, kept.name, kept.media_type, kept.size, kept.width or 0, kept.height or 0)


def in_slack(slack: SlackSimulator) -> list[str]:
    """Files of which Slack has bytes."""
    return [file.name for file in slack.workspace.files.values() if file.state not in ("pending", "deleted")]


# ------------------------------------------------------------------ held back


async def test_a_held_file_shows_type_and_size_and_a_way_to_the_desk_and_its_bytes_never_leave(
    engine_url: str, tmp_path: Path, slack: SlackSimulator
) -> None:
    async with house(engine_url, tmp_path, slack, rules=HELD, ping=5.0) as here:
        file = await picture(here)
        receipt = await here.writes("my passport", file)
        said = await here.thread(1)
        await here.lanes_are_empty()
        assert "Image (PNG), 1 KB, kept back" in said[0]
        assert "my passport" in said[0]
        assert "passport.png" not in said[0]
        (post,) = slack.replies(here.desk, (await here.root()).ts)
        code = receipt.stored.session.code
        assert f"https://desk.example.com/console/#{code}/{file.file}" in [link.url for link in post.links]
        assert "passport.png" not in str(post)
    assert slack.calls_of("files.getUploadURLExternal") == []
    assert slack.workspace.files == {}


async def test_what_was_held_stays_held_through_edits_retries_transfers_and_another_policy(
    engine_url: str, tmp_path: Path, slack: SlackSimulator
) -> None:
    open_desk = slack.channel("open")
    async with house(engine_url, tmp_path, slack, prefix="held", rules=HELD, ping=5.0) as here:
        slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage", skip=1)
        file = await picture(here)
        receipt = await here.writes("look", file)
        await here.lanes_are_empty()
        message = receipt.stored.session.recent[0].message
    support = slack.workspace.channel_named("support")
    assert support is not None
    async with house(
        engine_url, tmp_path, slack, prefix="held", desks=[support, open_desk]
    ) as here:  # all is shown now
        await here.does(CustomerRevised(message, 1), Body((TextPart("look here"), file)))
        session = (await here.session()).session.id
        moved = OperatorTransferred(OperatorId("aiko"), DeskId("open"))
        await here.relay.from_operator(session, moved, InputKey("move"))
        await here.lanes_are_empty()
        history = await here.thread(1, open_desk)
        assert "look here [image/png]" in history[0]
        assert "passport.png" not in str([channel.messages for channel in slack.workspace.channels.values()])
        assert slack.workspace.files == {}
        await here.writes("and another", await picture(here, "k2", "other.png", 16))
        await here.lanes_are_empty()
    assert in_slack(slack) == ["other.png"]


# ------------------------------------------------------------------ purged


async def purge(here: House, stored: Stored, file: FilePart) -> bool:
    fresh = await here.purges.order(stored, file.file, PurgeReason.CREDENTIALS, OperatorId("aiko"))
    await here.lanes_are_empty()

    async def bytes_are_seen_to() -> bool:
        return await here.store.lane_states(stored.session.id, FILES) is None

    await here.until(bytes_are_seen_to)
    return fresh


async def test_one_of_two_files_is_removed_everywhere_and_the_other_stays(here: House, kenji: Person) -> None:
    bad, good = await picture(here, "k1", "phrase.png"), await picture(here, "k2", "chart.png", 16)
    receipt = await here.writes("help", bad, good)
    await here.lanes_are_empty()
    assert sorted(in_slack(here.slack)) == ["chart.png", "phrase.png"]
    assert await purge(here, receipt.stored, bad)
    assert in_slack(here.slack) == ["chart.png"]
    said = here.slack.thread(here.desk, (await here.root()).ts)
    assert said[0] == "Hanako\nhelp\nAn attachment was removed"
    assert any(line.startswith("An attachment was removed everywhere.") for line in said)
    assert await here.files.stat(bad.file) is None
    assert await here.files.stat(good.file) is not None
    message = receipt.stored.session.recent[0].message
    (body,) = await here.store.bodies(receipt.stored.session.id, [(message, 0)])
    assert body is not None
    assert (body.text, [one.name for one in body.files], body.purged) == ("help", ["chart.png"], 1)
    assert "phrase" not in str(body)
    assert not await purge(here, receipt.stored, bad)  # a repeat changes nothing


async def test_bytes_that_another_upload_has_too_stay_for_that_one(here: House) -> None:
    bad, same = await picture(here, "k1", "a.png"), await picture(here, "k2", "b.png")
    receipt = await here.writes("twice", bad, same)
    await here.lanes_are_empty()
    await purge(here, receipt.stored, bad)
    assert await here.files.read(bad.file) is None
    assert await here.files.read(same.file) is not None


async def test_a_purge_goes_on_after_a_crash(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> None:
    async with house(engine_url, tmp_path, slack, prefix="crash", ping=5.0) as here:
        file = await picture(here)
        receipt = await here.writes("help", file)
        await here.lanes_are_empty()
        slack.mischief.add(Fault.BAD_GATEWAY, "files.delete", times=10_000)
        await here.purges.order(receipt.stored, file.file, PurgeReason.OTHER, None)
        await slack.until(lambda: len(slack.calls_of("files.delete")) > 0)
        assert in_slack(slack) == ["Hanako-passport.png"]
        (body,) = await here.store.bodies(receipt.stored.session.id, [(receipt.stored.session.recent[0].message, 0)])
        assert body is not None
        assert body.purged == 1
    slack.mischief.clear()
    async with house(engine_url, tmp_path, slack, prefix="crash", ping=5.0) as here:
        await here.lanes_are_empty()
        assert in_slack(slack) == []
        assert await here.files.stat(file.file) is None


async def test_what_waits_to_be_posted_goes_without_the_file(here: House) -> None:
    here.slack.mischief.add(Fault.RATE_LIMIT, "chat.postMessage", seconds=1, times=1)
    file = await picture(here)
    receipt = await here.writes("help", file)
    await purge(here, receipt.stored, file)
    assert in_slack(here.slack) == []
    assert here.slack.thread(here.desk, (await here.root()).ts)[0] == "Hanako\nhelp\nAn attachment was removed"


async def test_what_an_operator_uploaded_in_slack_is_taken_from_the_customer_and_said_to_be_left(
    here: House, kenji: Person
) -> None:
    await here.writes("help")
    root = await here.root()
    kenji.upload(here.desk, "statement.png", png(8), text="here", thread_ts=root.ts)
    await here.settled()

    async def has_come() -> bool:
        return (await here.session()).session.last_reply is not None

    await here.until(has_come)
    stored = await here.session()
    (attached,) = await here.purges.attached(stored.session.id)
    await purge(here, stored, FilePart(attached.file, "", "", 0))
    assert await here.files.stat(attached.file) is None
    (left,) = await here.purges.remaining(stored.session.id, attached.file)
    assert left.startswith("slack https://")
    assert left.endswith("uploaded there by an operator")
    assert in_slack(here.slack) == ["statement.png"]


async def test_no_wording_of_what_waited_to_be_sent_keeps_the_file(here: House, kenji: Person) -> None:
    here.directory.outsiders.add(kenji.id)
    await here.writes("help")
    root = await here.root()
    said = kenji.upload(here.desk, "statement.png", png(8), text="one", thread_ts=root.ts)

    async def waits() -> bool:
        return bool((await here.session()).session.pending)

    await here.until(waits)
    for words in ("two", "three"):
        kenji.edit(here.desk, said, words)
        await here.settled()
    stored = await here.session()
    (held,) = stored.session.pending
    (attached,) = await here.purges.attached(stored.session.id)
    await here.relay.from_operator(stored.session.id, OperatorSent(held.message, OperatorId("mary")), InputKey("send"))
    revisions = [
        one.fact.revision
        for one in await here.store.journal(stored.session.id)
        if isinstance(one.fact, HeldWordsRevised)
    ]
    assert len(revisions) == 2
    await purge(here, await here.session(), FilePart(attached.file, "", "", 0))
    bodies = await here.store.bodies(stored.session.id, [(held.message, one) for one in (0, *revisions)])
    assert [one.files if one else None for one in bodies] == [(), (), ()]


async def test_a_purge_of_nothing_is_refused(here: House) -> None:
    receipt = await here.writes("help")
    with pytest.raises(PurgeError, match="has no attachment"):
        await here.purges.order(receipt.stored, "nothing", PurgeReason.OTHER, None)
