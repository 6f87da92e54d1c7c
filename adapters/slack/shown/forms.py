"""From a submitted window to what the operator filled in: pure, and wary. Slack shows only what we drew, but signs
whatever an app's window holds, so each value is checked for its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.shown.views import Frame, read_frame
from bridge.networks.submissions import Submission
from routing.ids import InputKey, MessageId

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """`key` names this submission for ever; `user` sent it; `values` by the field's name."""

    name: str
    key: InputKey
    user: str
    team: str
    frame: Frame
    values: Mapping[str, Mapping[str, Any]]

    @property
    def author(self) -> str:
        """Who sent it, by the network's whole name for them."""
        return f"{self.team}:{self.user}"

    @property
    def submission(self) -> Submission:
        return Submission(
            name=self.name,
            key=self.key,
            message=MessageId(f"s:{self.key.removeprefix('slack/')}"),
            author=self.author,
            placed=self.frame.placed,
            texts={field: self.text(field) for field in self.values},
            choices={field: self.all_chosen(field) for field in self.values},
            until=self.moment("until"),
            template=self.frame.template,
            quote=self.frame.quote,
        )

    def text(self, field: str) -> str:
        value = self._value(field).get("value")
        return value.strip() if isinstance(value, str) else ""

    def all_chosen(self, field: str) -> tuple[str, ...]:
        """The one choice of a list, or all of those that may be several."""
        value = self._value(field)
        found = value.get("selected_options")
        options = found if isinstance(found, list) else [value.get("selected_option")]
        return tuple(filter(None, map(_option, options)))

    def moment(self, field: str) -> int | None:
        """ms since 1970, UTC; Slack gives seconds."""
        value = self._value(field).get("selected_date_time")
        return value * 1000 if isinstance(value, int) and not isinstance(value, bool) else None

    def _value(self, field: str) -> Mapping[str, Any]:
        return self.values.get(field, {})


def read(payload: Payload) -> Form | None:
    """None for a window that is none of ours."""
    view, user = payload.get("view"), payload.get("user")
    if not isinstance(view, Mapping) or not isinstance(user, Mapping):
        return None
    frame = read_frame(str(view.get("private_metadata") or ""))
    name, view_id, person = view.get("callback_id"), view.get("id"), user.get("id")
    if frame is None or not all(isinstance(one, str) and one for one in (name, view_id, person)):
        return None
    key = InputKey("/".join(("slack", "view", str(view_id), str(view.get("hash") or ""))))
    return Form(str(name), key, str(person), str(user.get("team_id") or frame.team), frame, _values(view))


def _values(view: Payload) -> dict[str, Mapping[str, Any]]:
    """Each block of ours has one element, of the same name."""
    state = view.get("state")
    given = state.get("values") if isinstance(state, Mapping) else None
    found: dict[str, Mapping[str, Any]] = {}
    for name, elements in given.items() if isinstance(given, Mapping) else ():
        value = elements.get(name) if isinstance(elements, Mapping) else None
        if isinstance(value, Mapping):
            found[name] = value
    return found


def _option(option: object) -> str:
    value = option.get("value") if isinstance(option, Mapping) else None
    return value if isinstance(value, str) else ""
