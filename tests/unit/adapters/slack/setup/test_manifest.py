"""The manifest asks for what we use, and the wording covers what we say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

import adapters.slack
from adapters.slack.parse import App, Ignored, event
from adapters.slack.setup.manifest import EVENTS, PRESENCE_SCOPE, SCOPES, manifest
from adapters.slack.wire import pacing
from bridge.errors import SettingsError
from bridge.files import Refusal
from config.locales import load
from config.settings import SlackSettings
from routing.facts import Cause
from routing.policy import Promised
from routing.session import CheckState, Reason
from tests.simulators.slack.events import SCOPE_OF_EVENT
from tests.simulators.slack.methods import METHODS
from tests.simulators.slack.workspace import ALL_EVENTS

SOURCES = "\n".join(path.read_text() for path in sorted(Path(adapters.slack.__path__[0]).rglob("*.py")))
SETTINGS = SlackSettings(bot_token=SecretStr("xoxb-1"), app_token=SecretStr("xapp-1"), signing_secret=SecretStr("s"))


def test_every_method_that_we_call_is_covered_by_a_scope_and_no_scope_is_for_nothing() -> None:
    calls = SOURCES.replace(Path(pacing.__file__).read_text(), "")  # its table holds methods that nobody calls
    called = {name for name in METHODS if f'"{name}"' in calls} - {"apps.connections.open"}
    assert {"chat.postMessage", "conversations.replies", "files.completeUploadExternal"} <= called
    for name in called:
        assert not METHODS[name].scopes or set(METHODS[name].scopes) & {*SCOPES, PRESENCE_SCOPE}, name
    useful = {scope for name in called for scope in METHODS[name].scopes}
    useful |= {SCOPE_OF_EVENT[name] for name in EVENTS if name in SCOPE_OF_EVENT}
    assert set(SCOPES) - {"commands"} <= useful, "that one is for what comes in"


def test_every_event_that_we_subscribe_to_exists_and_means_something() -> None:
    assert set(EVENTS) - {"app_uninstalled"} <= ALL_EVENTS
    app = App("T", "U", "B")
    moved = {"type": "channel_id_changed", "old_channel_id": "C1", "new_channel_id": "C2"}
    assert not isinstance(event(moved, app), Ignored)
    assert not isinstance(event({"type": "tokens_revoked"}, app), Ignored)


def test_with_sockets_there_is_no_address_and_with_http_there_are_ours() -> None:
    by_socket = manifest(SETTINGS, "https://help.example.com")["settings"]
    assert by_socket["socket_mode_enabled"]
    assert "request_url" not in by_socket["event_subscriptions"]
    by_http = manifest(SETTINGS.model_copy(update={"mode": "http"}), "https://help.example.com")["settings"]
    assert not by_http["socket_mode_enabled"]
    assert by_http["event_subscriptions"]["request_url"] == "https://help.example.com/slack/events"
    assert by_http["interactivity"] == {
        "is_enabled": True,
        "request_url": "https://help.example.com/slack/interactions",
    }


def test_there_is_one_command_whose_address_is_ours_over_http_alone() -> None:
    (by_socket,) = manifest(SETTINGS, "https://help.example.com")["features"]["slash_commands"]
    assert by_socket["command"] == "/chat"
    assert by_socket["should_escape"]
    assert "url" not in by_socket
    by_http = manifest(SETTINGS.model_copy(update={"mode": "http"}), "https://help.example.com")["features"]
    assert by_http["slash_commands"][0]["url"] == "https://help.example.com/slack/commands"


def test_the_home_is_shown_and_the_tab_of_messages_stays_for_calls() -> None:
    """Without it Slack refuses the direct message that calls who is on call: messages_tab_disabled."""
    tabs = manifest(SETTINGS, "https://help.example.com")["features"]["app_home"]
    assert tabs["home_tab_enabled"]
    assert tabs["messages_tab_enabled"]
    assert tabs["messages_tab_read_only_enabled"]


def test_the_first_manifest_is_printed_before_there_is_any_token() -> None:
    """It is the first step of docs/slack.md, and what that advises is Socket Mode."""
    first = manifest(SlackSettings(), "http://127.0.0.1:8787")["settings"]
    assert first["socket_mode_enabled"]
    assert "request_url" not in first["event_subscriptions"]


def test_a_manifest_that_slack_would_refuse_is_not_printed() -> None:
    with pytest.raises(SettingsError) as refused:
        manifest(SlackSettings(mode="http"), "http://127.0.0.1:8787")
    assert "public_url" in refused.value.where
    assert "Socket Mode" in refused.value.mend


def test_everything_that_is_said_has_its_words() -> None:
    words = load("thread")["en"]
    faces = "card|button|line|told|mention|customer|state|status|post|refused|call|home|command|find"
    asked = set(re.findall(rf'"((?:{faces})\.\w+)"', SOURCES))
    asked |= {f"refused.{reason}" for reason in Reason} | {f"file.{code}" for code in Refusal}
    asked |= {"file.no_access", "file.not_in_slack", "file.too_large"}
    rules = "\n".join(path.read_text() for path in sorted(Path("routing").glob("*.py")))
    asked |= {f"line.{key}" for key in re.findall(r'\.say\("(\w+)"', rules)}
    asked |= {f"line.{key}" for key in re.findall(r'key="(\w+)"', rules)}
    asked |= {f"escalation.{why}" for why in Cause} | {f"promise.{kind}" for kind in Promised}
    asked |= {f"check.{state}" for state in CheckState}
    assert asked - set(words) == set()
    assert len(asked) > 50
