"""What the documents tell people to type, set or watch exists, by the same name. Mend: the document."""

from __future__ import annotations

import argparse
import io
import re
import shlex
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_origin

import pytest
from pydantic import BaseModel, SecretStr

from adapters.web.checks import MEDIA_TYPE, CheckTokens
from adapters.web.identity import SiteTokens
from bridge.cli import parser
from bridge.metrics import Metrics
from config.calendars import HoursTable, days_of
from config.locales import LANGUAGES
from config.settings import JwtKey, JwtSettings, Settings, WebSettings
from config.sources import Key, field_at, holds_secrets, known_paths, path_of, sections_in
from config.tables import PolicyTables, TopicTable
from docs.generate import LISTS, NAMED
from tests.unit.docs.pages import ROOT, blocks_of, codes_in, every_page_by_hand, prose_of, rows_of, text_of

_METRIC = re.compile(r"\bkakehashi_[a-z_]+\b")
_VARIABLE = re.compile(r"\bKAKEHASHI_[A-Z_]+\b")
_NO_METRICS = {"kakehashi_effect"}  # what marks our posts on Slack
_FOR_ADMINISTRATORS = ("README.md", "docs/operating.md", "docs/slack.md", "docs/discord.md", "docs/oncall.md")


# ------------------------------------------------------------------ commands


def commands_in(text: str) -> Iterator[list[str]]:
    """The arguments of every `kakehashi …`, up to a pipe, a redirection or a comment."""
    for found in re.finditer(r"(?:^|[\s/(])kakehashi( [^|>;&#\n]*)?", text, re.MULTILINE):
        yield shlex.split(found[1] or "")


def branches_of(here: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [one for one in here._actions if isinstance(one, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def problem_with(arguments: list[str]) -> str | None:
    """What the parser has not got, from the left; whatever is no command and no option is somebody's value."""
    here = parser()
    for argument in arguments:
        branches = branches_of(here)
        if argument.startswith("--") and argument not in here._option_string_actions:
            return argument
        if argument.startswith("-") or "/" in argument or not branches:
            continue
        if argument not in branches:
            return argument
        here = branches[argument]
    return None


@every_page_by_hand
def test_every_command_that_is_shown_exists(page: Path) -> None:
    shown = [command for block in blocks_of(page, "sh", "ini") for command in commands_in(block)]
    codes = [code for code in codes_in(prose_of(page)) if code.startswith("kakehashi ")]
    shown += [command for code in codes for command in commands_in(code)]
    assert [(command, wrong) for command in shown if (wrong := problem_with(command))] == []


def every_command(here: argparse.ArgumentParser, said: str) -> Iterator[str]:
    branches = branches_of(here)
    if not branches:
        yield said
    for name, branch in branches.items():
        yield from every_command(branch, f"{said} {name}")


def test_administrators_are_told_of_every_command() -> None:
    told = "".join(map(text_of, _FOR_ADMINISTRATORS)).replace(".venv/bin/", "").replace("`up`", "`kakehashi up`")
    assert [command for command in every_command(parser(), "kakehashi") if command not in told] == []


@every_page_by_hand
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    shown = [*codes_in(prose_of(page)), *"\n".join(blocks_of(page, "sh")).splitlines()]
    asked = [line.partition("#")[0].split()[1:] for line in shown if line.startswith("make ")]
    assert [target for line in asked for target in line if target not in targets] == []


# ------------------------------------------------------------------ settings


@cache
def settings() -> frozenset[str]:
    """The dotted key of every setting, sections and the keys of lists included."""
    keys = {".".join(path) for path, _ in known_paths(Settings)}
    lists = {".".join((*path, name)) for path, part in LISTS.items() for name in part.model_fields}
    return frozenset(keys | lists)


def is_in(model: type[BaseModel], path: Key) -> bool:
    """Whether a table holds the key; where it holds tables under names, the name is the administrator's."""
    field = model.model_fields.get(path[0])
    if field is None:
        return len(path) == 1 and (
            (model is HoursTable and bool(days_of(path[0]))) or (model is TopicTable and path[0] in LANGUAGES)
        )
    inner, rest = sections_in(field.annotation), path[2 if get_origin(field.annotation) is dict else 1 :]
    return not rest or not inner or any(is_in(part, rest) for part in inner)


def is_setting(key: str) -> bool:
    path = tuple(key.split("."))
    named = path[:1] in NAMED and is_in(Settings, path)
    title = path[-1] in LANGUAGES and path[-2:-1] == ("titles",) and ".".join(path[:-1]) in settings()
    return key in settings() or named or title or is_in(PolicyTables, path)


@every_page_by_hand
def test_every_setting_that_is_named_exists(page: Path) -> None:
    sections = {key.split(".")[0] for key in settings() if "." in key} | set(PolicyTables.model_fields)
    codes = [code.partition(" =")[0].strip("[]") for code in codes_in(prose_of(page))]
    keys = [code for code in codes if re.fullmatch(r"[a-z_]+(\.\w+)+", code) and code.split(".")[0] in sections]
    assert [key for key in keys if not key.endswith((".py", ".js", ".toml")) and not is_setting(key)] == []


@every_page_by_hand
def test_every_variable_that_is_named_is_read(page: Path) -> None:
    assert [name for name in sorted(set(_VARIABLE.findall(text_of(page)))) if not is_read(name)] == []


def is_read(name: str) -> bool:
    path = path_of(name)
    bare = (*path[:-1], path[-1].removesuffix("_file"))
    secret = field_at(Settings, bare) if bare != path else None
    return field_at(Settings, path) is not None or (secret is not None and holds_secrets(secret))


@every_page_by_hand
def test_every_toml_block_holds_settings(page: Path) -> None:
    keys = [key for block in blocks_of(page, "toml") for key in leaves(tomllib.loads(block))]
    assert [key for key in keys if not is_setting(key)] == []


def leaves(table: Mapping[str, Any], before: Key = ()) -> Iterator[str]:
    """The dotted keys of all values; the tables of a list have the list's key."""
    for name, value in table.items():
        for one in value if isinstance(value, list) else [value]:
            path = (*before, name)
            yield from leaves(one, path) if isinstance(one, dict) else [".".join(path)]


# ------------------------------------------------------------------ metrics and the log


def families() -> dict[str, set[str]]:
    """Every metric as people write it (a counter with _total), and its names on the page."""
    found = {}
    for family in Metrics("x").registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        parts = ("_bucket", "_count", "_sum") if family.type == "histogram" else ()
        found[name] = {name, *(f"{name}{part}" for part in parts)}
    return found


def test_every_metric_is_judged_either_worth_an_alarm_or_good_to_look_at() -> None:
    alarms = {row[0].strip("`") for row in rows_of("docs/operating.md", "What deserves an alarm")}
    looks = {row[0].strip("`") for row in rows_of("docs/operating.md", "What is good to look at")}
    assert alarms & looks == set()
    assert alarms | looks == set(families())


def test_every_alarm_says_when_and_what_it_means_and_what_to_do() -> None:
    rows = rows_of("docs/operating.md", "What deserves an alarm")
    assert [row for row in rows if len(row) != 4 or not all(row) or row[0].strip("`") not in row[1]] == []


@every_page_by_hand
def test_every_metric_that_is_named_exists(page: Path) -> None:
    known = _NO_METRICS.union(*families().values())
    assert sorted(set(_METRIC.findall(text_of(page))) - known) == []


def test_every_event_of_the_log_that_is_explained_is_written_somewhere() -> None:
    code = "".join(text_of(path) for room in ("adapters", "bridge") for path in sorted((ROOT / room).rglob("*.py")))
    explained = [event for row in rows_of("docs/operating.md", "Logs") for event in codes_in(row[0])]
    assert explained
    assert [event for event in explained if f'"{event}"' not in code] == []


# ------------------------------------------------------------------ what a site embeds


def test_every_attribute_of_the_tag_is_read_by_the_widget_and_none_is_kept_secret() -> None:
    told = {code for row in rows_of("docs/embedding.md", "Dressing it") for code in codes_in(row[0])}
    code = "".join(text_of(f"adapters/web/widget/{name}.js") for name in ("widget", "app"))
    read = {*re.findall(r"\bdata\.([a-z]\w*)", code), "offsetX", "offsetY"} - {"mode"}  # the hosted page sets the mode
    assert told == {"data-" + re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name) for name in read}


def test_every_call_of_the_javascript_api_is_there_and_none_is_kept_secret() -> None:
    told = {re.split(r"[.(]", codes_in(row[0])[0])[1] for row in rows_of("docs/embedding.md", "The JavaScript API")}
    api = text_of("adapters/web/widget/widget.js").partition("window.Kakehashi = {")[2].partition("};")[0]
    assert told == set(re.findall(r"^ {4}(\w+):", api, re.MULTILINE))


def test_the_token_of_the_python_example_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "a shared secret of at least thirty-two bytes"
    monkeypatch.setenv("CHAT_SECRET", secret)
    scope: dict[str, Any] = {}
    exec(blocks_of("docs/embedding.md", "python")[0], scope)  # noqa: S102  # our own document
    (block,) = [tomllib.loads(one) for one in blocks_of("docs/embedding.md", "toml") if "[web.jwt]" in one]
    wanted = block["web"]["jwt"]
    keys = tuple(JwtKey(**{**key, "secret": SecretStr(secret)}) for key in wanted["keys"])
    tokens = SiteTokens(JwtSettings(**{**wanted, "keys": keys}), "main")
    account = tokens.read(scope["chat_token"]("u-4711", "Hanako"), scope["time"].time())
    assert (account.customer.account, account.name) == ("u-4711", "Hanako")


def test_the_outcome_of_the_python_example_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "a shared secret of at least thirty-two bytes"
    monkeypatch.setenv("VERIFY_SECRET", secret)
    sent: list[urllib.request.Request] = []

    class Answer(io.BytesIO):
        status = 204

    def urlopen(request: urllib.request.Request, timeout: float) -> Answer:
        assert timeout > 0
        sent.append(request)
        return Answer()

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    scope: dict[str, Any] = {}
    exec(blocks_of("docs/embedding.md", "python")[1], scope)  # noqa: S102  # our own document
    assert scope["report_check"]("u-4711", "n0nce", True, ["otp"]) == 204
    (request,) = sent
    assert (request.get_method(), request.get_header("Content-type")) == ("POST", MEDIA_TYPE)
    (block,) = [tomllib.loads(one) for one in blocks_of("docs/embedding.md", "toml") if "[web.identity]" in one]
    wanted = block["web"]["identity"]
    keys = [{**key, "secret": secret} for key in wanted["keys"]]
    tokens = CheckTokens(WebSettings.model_validate({"identity": {**wanted, "keys": keys}}), "main")
    body = request.data
    assert isinstance(body, bytes)
    outcome = tokens.read(body.decode(), scope["time"].time())
    assert (outcome.customer.account, outcome.nonce, outcome.passed) == ("u-4711", "n0nce", True)


# ------------------------------------------------------------------ the desk


def test_the_keys_of_the_desk_are_those_that_it_shows_itself() -> None:
    told = [codes_in(row[0]) for row in rows_of("docs/desk.md", "Keyboard")]
    helped = text_of("adapters/console/page/keys.js").partition("const HELP = [")[2].partition("];")[0]
    shown = [re.findall(r'"([^"]+)"', keys) for keys in re.findall(r"\[\[([^\]]+)\]", helped)]
    assert sorted(told) == sorted(shown)
