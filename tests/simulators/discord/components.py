"""Buttons, menus, rows and windows: what Discord takes of them, and finding one to press."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from .guild import Json
from .refusal import Complaints

ROWS = BUTTONS = 5
OPTIONS = 25
WHOLE, WHOLE_TEXT = 40, 4_000
"""Components and characters of a message in the second version's layout."""


class C(IntEnum):
    """Discord's numbers for components."""

    ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT = 10
    THUMBNAIL = 11
    GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS = frozenset({C.STRING_SELECT, C.USER_SELECT, C.ROLE_SELECT, C.MENTIONABLE_SELECT, C.CHANNEL_SELECT})
_LAYOUT = frozenset({C.ROW, C.SECTION, C.TEXT, C.GALLERY, C.FILE, C.SEPARATOR, C.CONTAINER})
_GROUPS = frozenset({C.RADIO_GROUP, C.CHECKBOX_GROUP})
_IN_LABELS = SELECTS | _GROUPS | {C.TEXT_INPUT, C.FILE_UPLOAD, C.CHECKBOX}
"""What a window may ask for, each in a label of its own."""
_LINK, _PREMIUM = 5, 6


def every(components: object) -> Iterator[Json]:
    """Each component in reading order, however deep."""
    for one in components if isinstance(components, list) else []:
        if isinstance(one, dict):
            yield one
            yield from every(one.get("components"))
            yield from every([one[k] for k in ("accessory", "component") if k in one])


def texts(components: list[Json]) -> list[str]:
    """What a person reads of a layout."""
    return [str(c.get("content", "")) for c in every(components) if c.get("type") == C.TEXT]


def check(components: object, complaints: Complaints, *, layout: bool) -> None:
    """Complain about what Discord would. `layout`: the message says IS_COMPONENTS_V2."""
    if components is None:
        return
    complaints.count("components", components, WHOLE if layout else ROWS)
    if not isinstance(components, list):
        return
    for index, one in enumerate(components):
        _check_top(one, f"components.{index}", complaints, layout=layout)
    if layout:
        _check_whole(components, complaints)
    _check_ids(components, complaints)


def _check_top(one: object, path: str, complaints: Complaints, *, layout: bool) -> None:
    kind = one.get("type") if isinstance(one, dict) else None
    if not isinstance(one, dict) or kind not in (_LAYOUT if layout else {C.ROW}):
        known = sorted(int(c) for c in _LAYOUT) if layout else [1]
        complaints.choice(f"{path}.type", kind, known)
    elif kind == C.ROW:
        _check_row(one, path, complaints)
    elif kind in (C.CONTAINER, C.SECTION):
        _check_box(one, path, complaints)
    elif kind == C.TEXT:
        complaints.length(f"{path}.content", one.get("content"), WHOLE_TEXT, 1)


def _check_box(box: Json, path: str, complaints: Complaints) -> None:
    most = 3 if box["type"] == C.SECTION else WHOLE
    complaints.count(f"{path}.components", box.get("components"), most, 1)
    for index, one in enumerate(box.get("components") or []):
        _check_top(one, f"{path}.components.{index}", complaints, layout=True)
    if box["type"] == C.SECTION:
        if not isinstance(box.get("accessory"), dict):
            complaints.required(f"{path}.accessory")
        elif box["accessory"].get("type") == C.BUTTON:
            _check_button(box["accessory"], f"{path}.accessory", complaints)


def _check_whole(components: list[Json], complaints: Complaints) -> None:
    if len(list(every(components))) > WHOLE:
        complaints.add("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", f"The total is more than {WHOLE}.")
    if sum(map(len, texts(components))) > WHOLE_TEXT:
        message = f"The total displayable text size exceeds maximum size of {WHOLE_TEXT}"
        complaints.add("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message)


def _check_row(row: Json, path: str, complaints: Complaints) -> None:
    inside = row.get("components")
    complaints.count(f"{path}.components", inside, BUTTONS, 1)
    for index, one in enumerate(inside if isinstance(inside, list) else []):
        below = f"{path}.components.{index}"
        if one.get("type") == C.BUTTON:
            _check_button(one, below, complaints)
        elif one.get("type") in SELECTS:
            _check_select(one, below, complaints)
            if len(inside or []) > 1:
                complaints.add(
                    path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width"
                )
        else:
            complaints.choice(f"{below}.type", one.get("type"), (2, 3, 5, 6, 7, 8))


def _check_button(button: Json, path: str, complaints: Complaints) -> None:
    style = button.get("style")
    complaints.choice(f"{path}.style", style, (1, 2, 3, 4, 5, 6))
    if button.get("label") is not None:
        complaints.length(f"{path}.label", button["label"], 80)
    if not (button.get("label") or button.get("emoji") or style == _PREMIUM):
        complaints.add(path, "BUTTON_COMPONENT_INVALID", "A button must have a label or emoji")
    if style == _LINK:
        if not str(button.get("url", "")).startswith(("http://", "https://", "discord://")):
            complaints.add(
                f"{path}.url", "URL_TYPE_INVALID_SCHEME", "Scheme must be one of ('http', 'https', 'discord')."
            )
    elif style != _PREMIUM:
        _check_custom_id(button, path, complaints)


def _check_custom_id(one: Json, path: str, complaints: Complaints) -> None:
    if not one.get("custom_id"):
        complaints.required(f"{path}.custom_id")
    else:
        complaints.length(f"{path}.custom_id", one["custom_id"], 100, 1)


def _check_select(select: Json, path: str, complaints: Complaints) -> None:
    _check_custom_id(select, path, complaints)
    if select.get("placeholder") is not None:
        complaints.length(f"{path}.placeholder", select["placeholder"], 150)
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not (0 <= least <= OPTIONS and 1 <= most <= OPTIONS and least <= most):
        complaints.add(path, "SELECT_COMPONENT_INVALID_RANGE", "min_values and max_values must be between 0 and 25")
    if select["type"] == C.STRING_SELECT:
        _check_options(select, path, complaints)


def _check_options(select: Json, path: str, complaints: Complaints) -> None:
    options = select.get("options")
    complaints.count(f"{path}.options", options, OPTIONS, 1)
    values = [o.get("value") for o in options or []]
    for index, option in enumerate(options or []):
        below = f"{path}.options.{index}"
        complaints.length(f"{below}.label", option.get("label"), 100, 1)
        complaints.length(f"{below}.value", option.get("value"), 100, 1)
        if option.get("description") is not None:
            complaints.length(f"{below}.description", option["description"], 100)
        if values.count(option.get("value")) > 1:
            complaints.add(
                f"{below}.value",
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )
    if select.get("max_values", 1) > len(options or []):
        complaints.add(
            f"{path}.max_values", "SELECT_COMPONENT_OPTIONS_RANGE", "Must not be more than there are options"
        )


def _check_ids(components: list[Json], complaints: Complaints) -> None:
    seen: set[str] = set()
    for one in every(components):
        custom_id = one.get("custom_id")
        if custom_id in seen:
            complaints.add("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        if custom_id:
            seen.add(custom_id)


def check_modal(data: Json, complaints: Complaints) -> None:
    """Complain about a window as Discord would."""
    complaints.length("data.title", data.get("title"), 45, 1)
    complaints.length("data.custom_id", data.get("custom_id"), 100, 1)
    complaints.count("data.components", data.get("components"), 5, 1)
    for index, one in enumerate(data.get("components") or []):
        path = f"data.components.{index}"
        kind = one.get("type")
        complaints.choice(f"{path}.type", kind, (C.ROW, C.TEXT, C.LABEL))
        if kind == C.ROW:
            complaints.count(f"{path}.components", one.get("components"), 1, 1)
            for inside in one.get("components") or []:
                complaints.choice(f"{path}.components.0.type", inside.get("type"), (C.TEXT_INPUT,))
        if kind == C.TEXT:
            complaints.length(f"{path}.content", one.get("content"), WHOLE_TEXT, 1)
        if kind == C.LABEL:
            _check_label(one, path, complaints)
    for field in fields(data):
        _check_field(field, f"data.components.{field.get('custom_id', '?')}", complaints)
    _check_ids(data.get("components") or [], complaints)


def _check_label(label: Json, path: str, complaints: Complaints) -> None:
    complaints.length(f"{path}.label", label.get("label"), 45, 1)
    if label.get("description") is not None:
        complaints.length(f"{path}.description", label["description"], 100)
    inside = label.get("component")
    if not isinstance(inside, dict):
        complaints.required(f"{path}.component")
    else:
        complaints.choice(f"{path}.component.type", inside.get("type"), sorted(_IN_LABELS))


def _check_field(field: Json, path: str, complaints: Complaints) -> None:
    _check_custom_id(field, path, complaints)
    if field.get("disabled"):
        complaints.add(path, "MODAL_COMPONENT_DISABLED", "Components in a modal cannot be disabled")
    if field["type"] in SELECTS:
        _check_select(field, path, complaints)
    if field["type"] in SELECTS | {C.CHECKBOX_GROUP, C.FILE_UPLOAD}:
        _check_required(field, path, complaints)
    if field["type"] in _GROUPS:
        _check_group(field, path, complaints)
    if field["type"] != C.TEXT_INPUT:
        return
    complaints.choice(f"{path}.style", field.get("style"), (1, 2))
    if field.get("label") is not None:
        complaints.length(f"{path}.label", field["label"], 45, 1)
    if field.get("placeholder") is not None:
        complaints.length(f"{path}.placeholder", field["placeholder"], 100)
    least, most = field.get("min_length") or 0, field.get("max_length") or 4_000
    if not (0 <= least <= 4_000 and 1 <= most <= 4_000 and least <= most):
        complaints.add(path, "TEXT_INPUT_COMPONENT_INVALID_RANGE", "Lengths must be between 0 and 4000")
    if len(field.get("value") or "") > most:
        complaints.length(f"{path}.value", field["value"], most)


def _check_required(field: Json, path: str, complaints: Complaints) -> None:
    """Nothing that is required can be answered by nothing."""
    if field.get("required", True) and field.get("min_values", 1) < 1:
        complaints.add(f"{path}.min_values", "BASE_TYPE_BAD_VALUE", "min_values must be at least 1 if required")


def _check_group(field: Json, path: str, complaints: Complaints) -> None:
    options = field.get("options")
    least = 2 if field["type"] == C.RADIO_GROUP else 1
    complaints.count(f"{path}.options", options, 10, least)
    for index, option in enumerate(options or []):
        for name in ("label", "value"):
            complaints.length(f"{path}.options.{index}.{name}", option.get(name), 100, 1)
    if field.get("max_values", 1) > max(1, len(options or [])):
        complaints.add(f"{path}.max_values", "BASE_TYPE_BAD_VALUE", "Must not be more than there are options")


def fields(modal: Json) -> list[Json]:
    """What a window asks."""
    return [one for one in every(modal.get("components")) if one.get("type") in _IN_LABELS]


def find(components: list[Json], wanted: str) -> Json:
    """The button or menu with this custom_id, label or placeholder; LookupError when a person sees none that works."""
    for one in every(components):
        if one.get("type") in SELECTS | {C.BUTTON} and wanted in (
            one.get("custom_id"), one.get("label"), one.get("placeholder")
        ):  # fmt: skip
            if one.get("disabled"):
                raise LookupError(f"{wanted!r} is greyed out")
            return one
    raise LookupError(f"no button or menu {wanted!r}")


def numbered(components: list[Json]) -> list[Json]:
    """Discord gives each component that the app left without one an `id` of its own."""
    taken = {c["id"] for c in every(components) if c.get("id")}
    fresh = (n for n in range(1, 10_000) if n not in taken)
    for one in every(components):
        if not one.get("id"):
            one["id"] = next(fresh)
    return components
