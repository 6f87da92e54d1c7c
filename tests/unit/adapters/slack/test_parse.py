"""Everything that Slack may send is decided on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from adapters.slack.parse import (
    App,
    ChannelMoved,
    Happening,
    Ignored,
    Pressed,
    Revised,
    Said,
    TokensRevoked,
    Withdrawn,
    parse,
)
from adapters.slack.refs import button_value, read_button_value
from bridge.ports import Placed
from routing.ids import MessageId, SessionId

APP = App("T1", "UBOT", "BBOT")
ROOT, TS, EDIT = "1700000000.000100", "1700000001.000200", "1700000005.000000"
REPLY = {"type": "message", "channel": "C1", "user": "U1", "team": "T1", "ts": TS, "thread_ts": ROOT, "text": "hi"}


def event(**body: Any) -> dict[str, Any]:
    return {"type": "event_callback", "event": body}


def changed(message: dict[str, Any], previous: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    body = {"message": message, "previous_message": previous or REPLY, "hidden": True, "ts": EDIT}
    return event(type="message", subtype="message_changed", channel="C1", **{**body, **more})


def test_a_reply_in_a_thread_carries_its_place_its_author_and_its_key() -> None:
    said = parse(event(**REPLY, parent_user_id="UBOT"), APP)
    assert isinstance(said, Said)
    assert (said.key, said.root.ref, said.message) == (f"slack/T1/C1/{TS}", f"T1:C1:{ROOT}", f"s:C1:{TS}")
    assert (said.author.user, said.text, said.parent) == ("U1", "hi", "UBOT")
    assert said.author.belongs_to("T1")


@pytest.mark.parametrize("name", ["team", "user_team", "source_team"])
def test_a_strangers_team_is_noticed_wherever_it_is_named(name: str) -> None:
    said = parse(event(**{**REPLY, name: "T9"}), APP)
    assert isinstance(said, Said)
    assert not said.author.belongs_to("T1")


@pytest.mark.parametrize("subtype", ["thread_broadcast", "file_share", "me_message"])
def test_a_persons_own_words_are_a_reply_however_slack_calls_them(subtype: str) -> None:
    assert isinstance(parse(event(**REPLY, subtype=subtype), APP), Said)


def test_a_file_is_taken_with_its_address_or_with_the_advice_to_ask() -> None:
    files = [
        {"id": "F1", "name": "a.png", "mimetype": "image/png", "url_private_download": "https://files.slack.com/a"},
        {"id": "F2", "file_access": "check_file_info"},
    ]
    said = parse(event(**REPLY, files=files), APP)
    assert isinstance(said, Said)
    assert [(one.id, one.known, one.url) for one in said.files] == [
        ("F1", True, "https://files.slack.com/a"),
        ("F2", False, ""),
    ]


def test_an_edit_has_a_key_of_its_own_and_a_revision_that_grows() -> None:
    first = parse(changed({**REPLY, "text": "ho", "edited": {"user": "U1", "ts": EDIT}}), APP)
    later = parse(changed({**REPLY, "text": "hey", "edited": {"user": "U1", "ts": "1700000006.000000"}}), APP)
    assert isinstance(first, Revised)
    assert isinstance(later, Revised)
    assert first.key == f"slack/T1/C1/{TS}/message_changed/{EDIT}"
    assert first.original == f"slack/T1/C1/{TS}"
    assert 0 < first.revision < later.revision


def test_an_edit_in_the_same_second_is_still_a_revision() -> None:
    """Slack gives the time of an edit in whole seconds: it may lie before the message."""
    edit = parse(changed({**REPLY, "text": "ho", "edited": {"user": "U1", "ts": "1700000001.000000"}}), APP)
    assert isinstance(edit, Revised)
    assert edit.revision == 1


def test_a_deletion_names_whose_words_they_were() -> None:
    body = {"subtype": "message_deleted", "channel": "C1", "deleted_ts": TS, "previous_message": REPLY, "ts": EDIT}
    gone = parse(event(type="message", hidden=True, **body), APP)
    assert isinstance(gone, Withdrawn)
    assert (gone.key, gone.author, gone.message) == (f"slack/T1/C1/{TS}/message_deleted", "U1", f"s:C1:{TS}")


OWN = {**REPLY, "user": "UBOT", "bot_id": "BBOT"}
TOP = {**REPLY, "thread_ts": None}


@pytest.mark.parametrize(
    "payload",
    [
        event(**OWN),
        event(**{**REPLY, "bot_id": "BOTHER"}),
        event(**{**REPLY, "subtype": "bot_message", "user": None}),
        event(**TOP),
        event(**{**REPLY, "thread_ts": TS}),
        event(**{**REPLY, "subtype": "channel_join"}),
        event(type="message", channel="C1", hidden=True, ts=EDIT, message={**OWN, "reply_count": 3}),
        changed({**REPLY, "subtype": "tombstone", "user": "USLACKBOT"}),
        changed({**REPLY, "attachments": [{"text": "a preview"}]}),
        changed({**REPLY, "edited": {"user": "U1", "ts": EDIT}}),
        changed({**OWN, "text": "x", "edited": {"user": "UBOT", "ts": EDIT}}),
        event(type="message", subtype="message_deleted", channel="C1", deleted_ts=TS, previous_message=OWN),
        event(type="message", subtype="message_deleted", channel="C1", deleted_ts=TS, previous_message=TOP),
        event(type="message", subtype="message_deleted", channel="C1", deleted_ts=TS),
        event(
            type="message",
            subtype="message_deleted",
            channel="C1",
            deleted_ts=TS,
            previous_message={**REPLY, "team": "T9"},
        ),
        event(type="reaction_added", user="U1"),
        {"type": "view_closed"},
        {"type": "shortcut"},
        {},
    ],
)
def test_what_means_nothing_to_us_is_ignored_with_a_reason(payload: dict[str, Any]) -> None:
    ignored = parse(payload, APP)
    assert isinstance(ignored, Ignored)
    assert ignored.because


def test_a_channels_new_id_and_the_loss_of_the_token_are_heard() -> None:
    assert parse(event(type="channel_id_changed", old_channel_id="C1", new_channel_id="C2"), APP) == ChannelMoved(
        "C1", "C2"
    )
    assert parse(event(type="tokens_revoked", tokens={}), APP) == TokensRevoked()
    assert parse(event(type="app_uninstalled"), APP) == TokensRevoked()


def press(**action: Any) -> dict[str, Any]:
    value = button_value(Placed(SessionId("main.0.abc"), 2))
    return {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U1", "team_id": "T1"},
        "channel": {"id": "C1"},
        "container": {"type": "message", "message_ts": ROOT, "channel_id": "C1"},
        "actions": [{"action_id": "claim", "value": value, "action_ts": EDIT, **action}],
    }


def test_a_button_says_which_session_it_is_for() -> None:
    pressed = parse(press(), APP)
    assert isinstance(pressed, Pressed)
    assert pressed.placed == Placed(SessionId("main.0.abc"), 2)
    assert pressed.root is not None
    assert (pressed.root.ref, pressed.action, pressed.author.user) == (f"T1:C1:{ROOT}", "claim", "U1")
    assert pressed.key == f"slack/action/C1/{ROOT}/U1/{EDIT}"


def test_a_button_on_a_line_that_only_one_person_sees_may_name_a_message_and_no_thread() -> None:
    value = button_value(Placed(SessionId("main.0.abc"), 2), MessageId("s:C1:1.2"), "solved")
    payload = press(value=value) | {"trigger_id": "7.7", "response_url": "https://hooks.slack.com/x"}
    payload["container"] = payload["container"] | {"is_ephemeral": True}
    pressed = parse(payload, APP)
    assert isinstance(pressed, Pressed)
    assert (pressed.root, pressed.only_theirs, pressed.channel) == (None, True, "C1")
    assert (pressed.aim.message, pressed.aim.choice) == ("s:C1:1.2", "solved")
    assert (pressed.trigger, pressed.answer) == ("7.7", "https://hooks.slack.com/x")


def test_what_is_chosen_from_a_menu_is_read_from_its_option() -> None:
    value = button_value(Placed(SessionId("main.0.abc"), 2), choice="history")
    pressed = parse(press(value=None, selected_option={"value": value}), APP)
    assert isinstance(pressed, Pressed)
    assert pressed.aim.choice == "history"


@pytest.mark.parametrize("wrong", [{"action_id": ""}, {"value": "{}"}, {"value": "nonsense"}, {"value": "[1]"}])
def test_a_button_that_is_not_ours_is_ignored(wrong: dict[str, Any]) -> None:
    assert isinstance(parse(press(**wrong), APP), Ignored)


# ------------------------------------------------------------------ wrong types, anywhere

PRESS = {
    "type": "block_actions",
    "user": {"id": "U1", "team_id": "T1"},
    "team": {"id": "T1"},
    "channel": {"id": "C1"},
    "container": {"thread_ts": ROOT, "message_ts": ROOT},
    "actions": [{"action_id": "claim", "action_ts": TS, "value": '{"session": "main.0.ab", "mirror": 1}'}],
}
FILE = {"id": "F1", "name": "a.png", "mimetype": "image/png", "url_private": "https://files.slack.com/a"}
EDITED = {**REPLY, "text": "changed", "edited": {"user": "U1", "ts": EDIT}, "files": [FILE]}
PAYLOADS: dict[str, dict[str, Any]] = {
    "reply": event(**REPLY, parent_user_id="UBOT", files=[FILE], source_team="T1", user_team="T1"),
    "edit": changed(EDITED),
    "deletion": event(type="message", subtype="message_deleted", channel="C1", deleted_ts=TS, previous_message=REPLY),
    "move": event(type="channel_id_changed", old_channel_id="C1", new_channel_id="C2"),
    "revocation": event(type="tokens_revoked"),
    "press": PRESS,
}
OTHERS: tuple[Any, ...] = (
    None,
    True,
    7,
    -1.5,
    "",
    "x",
    "\ud800",
    "1700000000.5",
    [],
    ["x"],
    [{}],
    {},
    {"x": 1},
    [[]],
    {"id": 5},
)


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*way, key)
        yield from places(one, (*way, key))


def with_another(payload: dict[str, Any], way: tuple[Any, ...], value: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(payload))
    place = copy
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = value
    return dict(copy)


NO_TEXTS = ("emoji", "blocks", "known", "revision", "mirror", "only_theirs")


def texts_in(happening: Happening) -> list[object]:
    """Whatever should be a text, laid flat; files, authors and roots included."""
    flat: list[object] = []
    waiting: list[Any] = [happening]
    while waiting:
        value = waiting.pop()
        if is_dataclass(value):
            waiting += [getattr(value, one.name) for one in fields(value) if one.name not in NO_TEXTS]
        elif isinstance(value, tuple | frozenset):
            waiting += value
        elif value is not None:  # what a payload need not name
            flat.append(value)
    return flat


@pytest.mark.parametrize("name", list(PAYLOADS))
def test_a_wrong_type_in_any_field_is_refused_or_means_nothing(name: str) -> None:
    """Whatever is put in whatever place: a happening whose parts are what they claim to be, or ValueError."""
    for way in places(PAYLOADS[name]):
        for value in OTHERS:
            with suppress(ValueError):
                happening = parse(with_another(PAYLOADS[name], way, value), APP)
                assert [one for one in texts_in(happening) if not isinstance(one, str)] == [], (way, value)
                assert "\ud800" not in texts_in(happening), way


@pytest.mark.parametrize("name", list(PAYLOADS))
def test_the_payloads_of_the_test_above_mean_something(name: str) -> None:
    assert not isinstance(parse(PAYLOADS[name], APP), Ignored)


@pytest.mark.parametrize(
    "value",
    ["", "{", "[]", "5", '{"session": 5, "mirror": 1}', '{"session": "main.0.ab", "mirror": "1"}',
     '{"session": "main.0.ab", "mirror": 1e999}', '{"session": "main.0.ab", "mirror": true}',
     '{"session": "nonsense", "mirror": 1}', '{"session": "main.0.ab", "mirror": 1, "message": 5}',
     '{"session": "main.0.ab", "mirror": 1, "message": "\\ud800"}',
     '{"session": "main.0.ab", "mirror": 1, "choice": []}',
     '{"session": "main.0.ab"}', "[" * 9_000],
)  # fmt: skip
def test_a_buttons_value_that_is_not_ours_names_no_session(value: str) -> None:
    assert read_button_value(value) is None
