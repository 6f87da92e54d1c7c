"""Modals and the home tab."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tests.simulators.slack import blocks as block_kit
from tests.simulators.slack import shapes
from tests.simulators.slack.refusal import Args, Refusal
from tests.simulators.slack.workspace import Json, View

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.slack.simulator import SlackSimulator


@method("views.open", tier=4)
def open_view(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    body = checked_view(args, "modal")
    user = slack.interactions.spend_trigger(args.needed("trigger_id"))
    return {"view": shapes.view(slack.workspace, add_view(slack, body, user))}


@method("views.push", tier=4)
def push_view(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    body = checked_view(args, "modal")
    user = slack.interactions.spend_trigger(args.needed("trigger_id"))
    below = [v for v in slack.workspace.views.values() if v.user == user]
    if len(below) >= 3:
        raise Refusal("push_limit_reached")
    view = add_view(slack, body, user, below[-1] if below else None)
    return {"view": shapes.view(slack.workspace, view)}


@method("views.update", tier=4)
def update_view(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    view = _found(slack, args)
    body = checked_view(args, str(view.body["type"]))
    _check_hash(args, view)
    replace(view, body)
    return {"view": shapes.view(slack.workspace, view)}


@method("views.publish", tier=4)
def publish(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    user = args.needed("user_id")
    if user not in slack.workspace.users:
        raise Refusal("user_not_found")
    if not slack.workspace.app.home_tab:
        raise Refusal("not_enabled")
    body = checked_view(args, "home")
    view = slack.workspace.homes.get(user)
    if view is None:
        view = slack.workspace.homes[user] = _made(slack, body, user)
    else:
        _check_hash(args, view)
        replace(view, body)
    return {"view": shapes.view(slack.workspace, view)}


def add_view(slack: SlackSimulator, body: Json, user: str, below: View | None = None) -> View:
    """Show a modal to this person, on top of another if there is one."""
    view = _made(slack, body, user)
    if below is not None:
        view.root_id, view.previous_id = below.root_id, below.id
    slack.workspace.views[view.id] = view
    return view


def _made(slack: SlackSimulator, body: Json, user: str) -> View:
    view_id = slack.workspace.mint("V")
    return View(view_id, body, user, _fresh_hash(), view_id)


def replace(view: View, body: Json) -> None:
    view.body, view.hash = body, _fresh_hash()


def checked_view(args: Args, kind: str) -> Json:
    """The `view` argument, refused when a limit is passed or something needed is missing."""
    view = args.structure("view", "invalid_arguments")
    if not isinstance(view, dict):
        raise Refusal.of_arguments("[ERROR] missing required field: view")
    if errors := view_errors(view, kind):
        raise Refusal.of_arguments(*errors)
    return view


_HOME = frozenset(("type", "blocks", "private_metadata", "callback_id", "external_id"))
_MODAL = _HOME | {"title", "close", "submit", "clear_on_close", "notify_on_close", "submit_disabled"}
"""What a view may have (views reference)."""


def view_errors(view: Json, kind: str) -> list[str]:
    """All that is wrong with a view."""
    errors = block_kit.errors_in(view.get("blocks"), view=True)
    if view.get("type") != kind:
        errors.append(f"[ERROR] must be {kind} [json-pointer:/view/type]")
    for name in sorted(view.keys() - (_MODAL if kind == "modal" else _HOME)):
        errors.append(f"[ERROR] no more than the documented properties allowed: {name} [json-pointer:/view]")
    for name, limit in (("private_metadata", 3_000), ("callback_id", 255), ("external_id", 255)):
        if not isinstance(view.get(name, ""), str) or len(view.get(name, "")) > limit:
            errors.append(f"[ERROR] must be less than {limit + 1} characters [json-pointer:/view/{name}]")
    if kind == "modal":
        errors += _modal_errors(view)
    return errors


def _modal_errors(view: Json) -> list[str]:
    errors = []
    for name in ("title", "submit", "close"):
        if name in view:
            errors += block_kit.plain_errors(view[name], 24, f"/view/{name}")
    if "title" not in view:
        errors.append("[ERROR] missing required field: title [json-pointer:/view]")
    blocks = [b for b in view.get("blocks") or [] if isinstance(b, dict)]
    if "submit" not in view and any(b.get("type") == "input" for b in blocks):
        errors.append("[ERROR] missing required field: submit [json-pointer:/view]")
    return errors


def _found(slack: SlackSimulator, args: Args) -> View:
    views = [*slack.workspace.views.values(), *slack.workspace.homes.values()]
    external = args.text("external_id")
    for view in views:
        if view.id == args.text("view_id") or (external and view.body.get("external_id") == external):
            return view
    raise Refusal("not_found")


def _check_hash(args: Args, view: View) -> None:
    if args.has("hash") and args.text("hash") != view.hash:
        raise Refusal("hash_conflict")


def _fresh_hash() -> str:
    return f"{secrets.randbelow(10**10)}.{secrets.token_hex(4)}"
