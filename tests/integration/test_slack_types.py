"""Everything that a desk's day sends to Slack, held against Slack's own published types."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.messages import Body, TextPart
from bridge.templates import Template
from routing.ids import InputKey, MessageId, OperatorId
from routing.inputs import CustomerRevised, CustomerWithdrew, OperatorEscalated, OperatorNoted, OperatorReplied
from tests.integration.slack_house import House, house
from tests.simulators.slack import Person, SlackSimulator
from tests.simulators.slack.blocks import buttons_in
from tests.simulators.slack.workspace import Message
from tests.slack_types.checker import complaints

KINDS = {
    "chat.postMessage": "message",
    "chat.update": "message",
    "chat.postEphemeral": "message",
    "views.open": "modal",
    "views.update": "modal",
    "views.publish": "home",
}
"""What each method that carries blocks carries."""

_STRUCTURED = ("blocks", "metadata", "view")


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, slack) as one:
        yield one


def sent(slack: SlackSimulator) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Every payload that the simulator was sent, by the number and method of its call."""
    return {
        f"{number} {call.method}": (KINDS[call.method], _payload(call.args))
        for number, call in enumerate(slack.calls)
        if call.method in KINDS
    }


def _payload(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as values: a form carries structures as JSON."""
    read = {name: json.loads(value) if _is_json(name, value) else value for name, value in args.items()}
    return dict(read["view"]) if "view" in read else read


def _is_json(name: str, value: object) -> bool:
    return name in _STRUCTURED and isinstance(value, str)


async def test_what_a_day_sends_is_what_slack_documents(here: House, kenji: Person, tmp_path: Path) -> None:
    first = await here.writes("my address is\n> 0xabc *bold* <!channel> :eyes:", name="花子 " * 30)
    session = first.stored.session.id
    root = await here.root()
    kenji.say(here.desk, "note: look into it", thread_ts=root.ts)
    kenji.say(here.desk, "We are looking into it", thread_ts=root.ts)
    aiko = OperatorId("aiko")
    for event in (OperatorReplied(MessageId("o:reply"), aiko), OperatorNoted(MessageId("o:note"), aiko)):
        said = Body((TextPart("from the desk page"),))
        await here.relay.from_operator(session, event, InputKey(event.message), body=said)
    (spoken,) = [one.message for one in (await here.session()).session.recent if one.message.startswith("c:")]
    await here.does(CustomerRevised(spoken, 1), Body((TextPart("my address is 0xabcd"),)))
    await here.does(CustomerWithdrew(spoken))
    await here.relay.from_operator(session, OperatorEscalated(aiko), InputKey("escalate"))
    await here.lanes_are_empty()
    payloads = sent(here.slack)
    assert {"chat.postMessage", "chat.update"} <= {name.partition(" ")[2] for name in payloads}
    assert await complaints(payloads, tmp_path) == {}


async def test_a_template_that_can_be_undone_is_what_slack_documents(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    hello = Template("hello", {"en": "Hello {customer}, {what}.\n" + "It is on its way. " * 150})
    parts = {"templates": lambda desk: (hello,)}
    async with house(engine_url, tmp_path, slack, rules={"undo": 60_000}, parts=parts) as one:
        await one.writes("hello?", name="<!channel> *花子* " * 30)
        root = await one.root()
        kenji.say(one.desk, ';hello what="<b> & *so* on"', thread_ts=root.ts)
        await slack.until(lambda: any("Undo" in str(each.blocks) for each in slack.replies(one.desk, root.ts)))
        payloads = sent(slack)
        assert any("undo" in json.dumps(payload) for _, payload in payloads.values())
        assert await complaints(payloads, tmp_path) == {}


WINDOWS = ("note", "hold", "resolve", "templates", "transfer", "history", "block")


async def test_windows_home_and_answers_are_what_slack_documents(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    slack.habits.ack_timeout = slack.habits.trigger_life = 30.0  # what is too late, other tests tell
    desks = [slack.channel("support"), slack.channel("refunds")]
    hello = Template("hello", {"en": "Hello {customer}, {amount} is on its way."}, title="A greeting " * 20)
    parts = {"templates": lambda desk: (hello,), "tags": lambda: {"fees": {"en": "Fees " * 30}}}
    async with house(engine_url, tmp_path, slack, desks=desks, parts=parts, ping=5.0) as one:
        await one.writes("my money?", name="花子 " * 30)
        root = await one.root()
        await kenji.click(one.desk, root, "claim")
        await slack.until(lambda: any(button["action_id"] == "hold" for _, button in buttons_in(root.blocks)))
        for number, action in enumerate(WINDOWS, 1):
            await presses(one, kenji, root, action)
            await slack.until(lambda wanted=number: len(slack.calls_of("views.open")) == wanted)  # type: ignore[misc]
            await slack.until(lambda: kenji.id in {view.user for view in slack.workspace.views.values()})
            await kenji.close_modal()
        kenji.open_home()
        await slack.until(lambda: kenji.id in slack.workspace.homes)
        kenji.say(one.desk, "!cliam", thread_ts=root.ts)
        await slack.until(lambda: slack.calls_of("chat.postEphemeral") and slack.calls_of("chat.update"))
        await one.lanes_are_empty()
        payloads = sent(slack)
        assert {*KINDS} - {"views.update"} <= {name.partition(" ")[2] for name in payloads}
        assert await complaints(payloads, tmp_path) == {}


async def presses(here: House, person: Person, root: Message, action: str) -> None:
    """A button of the card, or what stands in its menu."""
    for _, element in buttons_in(root.blocks):
        if element["action_id"] == action:
            await person.click(here.desk, root, action)
            return
        for option in element.get("options", ()):
            if action in option["value"]:
                await person.click(here.desk, root, element["action_id"], value=option["value"])
                return
    raise AssertionError(f"the card does not offer {action}")


async def test_the_compiler_refuses_what_slack_does_not_document(tmp_path: Path) -> None:
    button = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Claim"}}
    right = {"text": "a", "blocks": [{"type": "actions", "elements": [button]}]}
    markup = {"text": "a", "blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "*bold*"}}]}
    style = {"text": "a", "blocks": [{"type": "actions", "elements": [button | {"style": "secondary"}]}]}
    unknown = {"text": "a", "blocks": [{"type": "actions", "elements": [button], "colour": "red"}]}
    untitled = {"type": "modal", "blocks": []}
    found = await complaints(
        {
            "right": ("message", right),
            "markup": ("message", markup),
            "style": ("message", style),
            "unknown": ("message", unknown),
            "untitled": ("modal", untitled),
        },
        tmp_path,
    )
    assert set(found) == {"markup", "style", "unknown", "untitled"}
