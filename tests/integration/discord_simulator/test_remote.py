"""The simulator driven from outside, as a process of its own or over its control addresses."""

from __future__ import annotations

import base64
import time
from typing import Any

import aiohttp
import pytest

from tests.integration.discord_simulator.clients import Client, Json, Rest, wire
from tests.simulators.discord import Channel, DiscordProcess, DiscordSimulator, Person


async def test_it_runs_as_a_process_of_its_own() -> None:
    async with DiscordProcess("--no-limits", "--forum", "desk", "--tag", "open") as discord:
        state = discord.state
        forum, headers = state["channels"]["desk"], {"Authorization": f"Bot {state['token']}"}
        body = {"name": "ABC-1", "message": {"content": "card"}, "applied_tags": [state["tags"]["desk"]["open"]]}
        url = f"{state['api_url']}/channels/{forum}/threads"
        async with aiohttp.request("POST", url, json=body, headers=headers) as response:
            thread = (await response.json())["id"]
        seen = [note async for _, note in _first_two(discord)]
        assert [(note["kind"], note["id"], note["text"]) for note in seen] == [
            ("thread", thread, "ABC-1"),
            ("message", thread, "card"),
        ]
        assert seen[1]["received"] <= seen[1]["accepted"] <= time.perf_counter()
        await discord.do("say", person="kenji", channel=thread, text="hi")
        assert (await discord.do("messages", channel="ABC-1"))["texts"] == ["card", "hi"]
        [found] = (await discord.do("threads", channel="desk"))["threads"]
        assert (found["id"], found["tags"]) == (thread, ["open"])
        [call] = (await discord.do("calls", route="POST /channels/{channel_id}/threads"))["calls"]
        assert (call["outcome"], call["status"]) == ("ok", 201)
        with pytest.raises(ValueError, match="no channel"):
            await discord.do("say", channel="nowhere", text="x")


async def _first_two(discord: DiscordProcess) -> Any:
    async for note in discord.watch(after=0):
        yield note["number"], note
        if note["number"] == 2:
            return


async def test_all_powers_can_be_reached_from_outside(
    discord: DiscordSimulator, client: Client, rest: Rest, support: Channel, kenji: Person, aiko: Person
) -> None:
    async def do(verb: str, **args: Any) -> Json:
        async with rest.session.post(f"{discord.url}/_sim/{verb}", json=args) as response:
            answer: Json = await response.json()
            assert response.status == 200, answer
            return answer

    assert (await do("state"))["connections"] == 1
    made = await do("channel", name="sales", kind="forum", tags=["open"])
    assert made["tags"]["open"]
    data = base64.b64encode(b"x").decode()
    said = await do("say", person="kenji", channel="support", text="hi", files=[{"name": "a.txt", "base64": data}])
    await do("edit", person="kenji", channel="support", id=said["id"], text="hello")
    await do("react", person="kenji", channel="support", id=said["id"], emoji="👀")
    await do("type", person="kenji", channel="support")
    await do("speak", person="kenji", channel="support", base64=data)
    thread = await do("open_thread", person="kenji", channel="support", name="aside", on=said["id"])
    await do("forward", person="kenji", channel=thread["id"], source="support", id=said["id"])
    for action in ("archive", "unarchive", "lock", "unlock"):
        await do("manage", person="aiko", channel="aside", action=action)
    await do("manage", person="aiko", channel="aside", action="rename", name="renamed")
    await do("delete", person="kenji", channel="support", id=said["id"])
    kinds = {d["kind"] for d in (await do("dispatches"))["dispatches"]}
    assert kinds >= {"MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_REACTION_ADD", "TYPING_START", "THREAD_UPDATE"}
    role = await do("role", name="night", people=["kenji"])
    await do("permit", channel="support", target=role["id"], deny=["SEND_MESSAGES"])
    await do("install", privileged=["members", "message_content"], permissions=0)
    assert discord.bot_permissions == discord.guild.roles[discord.guild.id].permissions
    assert (await do("limits", enabled=True)) == {"enabled": True}
    assert (await do("habits", nonce_life=1.0, renames=[3, 60.0]))["nonce_life"] == 1.0
    assert (await do("clock", advance=10))["now"] == 10
    rules = (await do("mischief", fault="malform", target="MESSAGE_CREATE", missing=["id"]))["rules"]
    assert rules == [{"fault": "malform", "target": "MESSAGE_CREATE", "fired": 0}]
    await do("mischief", clear=True)
    await do("leave", person="kenji")
    assert (await do("settled"))["settled"]
    assert (await do("posts", after=0))["posts"] == list(discord.posts)


async def test_the_gateway_is_disturbed_from_outside(discord: DiscordSimulator, rest: Rest) -> None:
    async def do(verb: str, **args: Any) -> Json:
        async with rest.session.post(f"{discord.url}/_sim/{verb}", json=args) as response:
            return dict(await response.json())

    async with wire(discord) as socket:
        await socket.identify(discord.token)
        await socket.event("GUILD_CREATE")
        await do("gateway", action="reconnect")
        assert (await socket.receive())["op"] == 7
        await do("gateway", action="invalidate", index=0)
        assert await socket.receive() == {"op": 9, "d": False}
        assert (await do("gateway"))["paths"] == ["/gateway/"]
        await do("gateway", action="close", code=4000)
        assert await socket.receive() == {"closed": 4000}
    await do("gateway", action="shut")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with wire(discord):
            pass
    await do("gateway", action="open")
    former = discord.token
    assert (await do("token", action="reset"))["token"] != former
    assert (await do("nothing"))["error"] == "no such verb"
