"""Block Kit as Slack checks it: a wrong block refuses the whole message (`invalid_blocks`), and says where.

The limits are those of Slack's Block Kit reference; they were read in 2026.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .mrkdwn import EMOJI_NAME, Reading, read
from .workspace import Json, Link, Ping

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN = 12_000
"""Characters in all markdown blocks of one message."""
TOTAL_CHARACTERS = 13_200
"""Near this much text in all blocks together a message is refused with `msg_blocks_too_long`."""

_SELECTS = frozenset(
    f"{multi}{kind}_select"
    for multi in ("", "multi_")
    for kind in ("static", "external", "users", "conversations", "channels")
)
_PICKERS = frozenset({"datepicker", "timepicker", "datetimepicker", "checkboxes", "radio_buttons"})
_INPUTS = frozenset(
    {"plain_text_input", "email_text_input", "number_input", "url_text_input", "file_input", "rich_text_input"}
)
_IN_ACTIONS = frozenset({"button", "overflow", "workflow_button"}) | _SELECTS | _PICKERS
_IN_SECTION = _IN_ACTIONS | {"image"}
_IN_INPUT = _INPUTS | _SELECTS | _PICKERS

_FIELDS: dict[str, tuple[str, str]] = {  # type: (required, optional), beside type
    "section": ("", "text fields accessory expand block_id"),
    "divider": ("", "block_id"),
    "header": ("text", "block_id level"),
    "image": ("alt_text", "image_url slack_file title block_id"),
    "actions": ("elements", "block_id"),
    "context": ("elements", "block_id"),
    "input": ("label element", "dispatch_action hint optional block_id"),
    "rich_text": ("elements", "block_id"),
    "markdown": ("text", "block_id"),
    "video": (
        "alt_text title thumbnail_url video_url",
        "author_name block_id description provider_icon_url provider_name title_url",
    ),
    "button": ("text action_id", "url value style confirm accessibility_label"),
    "workflow_button": ("text workflow action_id", "style accessibility_label"),
    "overflow": ("options action_id", "confirm"),
    "checkboxes": ("options action_id", "initial_options confirm focus_on_load"),
    "radio_buttons": ("options action_id", "initial_option confirm focus_on_load"),
    "datepicker": ("action_id", "initial_date confirm focus_on_load placeholder"),
    "timepicker": ("action_id", "initial_time confirm focus_on_load placeholder timezone"),
    "datetimepicker": ("action_id", "initial_date_time confirm focus_on_load"),
    "plain_text_input": (
        "action_id",
        "initial_value multiline min_length max_length dispatch_action_config focus_on_load placeholder",
    ),
    "email_text_input": ("action_id", "initial_value dispatch_action_config focus_on_load placeholder"),
    "url_text_input": ("action_id", "initial_value dispatch_action_config focus_on_load placeholder"),
    "number_input": (
        "is_decimal_allowed action_id",
        "initial_value min_value max_value dispatch_action_config focus_on_load placeholder",
    ),
    "file_input": ("action_id", "filetypes max_files"),
    "rich_text_input": ("action_id", "initial_value dispatch_action_config focus_on_load placeholder"),
}
_IMAGE_ELEMENT = ("alt_text", "image_url slack_file")
"""An image within a block. Only the block of that name has a title."""
_OF_SELECT: dict[str, tuple[str, str, str]] = {  # source: (of both, of one that chooses one, of one that chooses many)
    "static": ("options option_groups", "initial_option", "initial_options"),
    "external": ("min_query_length", "initial_option", "initial_options"),
    "users": ("", "initial_user", "initial_users"),
    "conversations": (
        "default_to_current_conversation filter",
        "initial_conversation response_url_enabled",
        "initial_conversations",
    ),
    "channels": ("", "initial_channel response_url_enabled", "initial_channels"),
}
_OPTION_COUNTS = {"overflow": 5, "checkboxes": 10, "radio_buttons": 10}
_MAY_BE_MARKUP = frozenset({"checkboxes", "radio_buttons"})
"""What has options whose text, and description, may be mrkdwn."""
_NUMBERS: dict[str, tuple[int, float]] = {
    "min_length": (0, 3_000),
    "max_length": (1, 3_000),
    "max_files": (1, 10),
    "max_selected_items": (1, float("inf")),
    "min_query_length": (0, float("inf")),
}
"""Whole numbers in elements: the least and the most."""


@dataclass
class _Check:
    """Collects what is wrong, each with its JSON pointer, as Slack words it."""

    errors: list[str] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)
    focused: int = 0
    markdown: int = 0

    def fail(self, what: str, where: str) -> None:
        self.errors.append(f"[ERROR] {what} [json-pointer:{where}]")

    def fields(self, thing: Json, required: str, optional: str, where: str) -> bool:
        missing = [name for name in required.split() if name not in thing]
        unknown = thing.keys() - {"type", *required.split(), *optional.split()}
        for name in missing:
            self.fail(f"missing required field: {name}", where)
        for name in sorted(unknown):
            self.fail(f"no more than the documented properties allowed: {name}", where)
        return not missing

    def string(self, thing: Json, name: str, limit: int, where: str) -> None:
        value = thing.get(name)
        if value is None:
            return
        if not isinstance(value, str):
            self.fail("must provide a string", f"{where}/{name}")
        elif not value:
            self.fail("must be more than 0 characters", f"{where}/{name}")
        elif len(value) > limit:
            self.fail(f"must be less than {limit + 1} characters", f"{where}/{name}")

    def text(self, value: object, limit: int, where: str, *, plain: bool = False) -> None:
        if not isinstance(value, dict):
            self.fail("must provide an object", where)
            return
        kind = value.get("type")
        if kind not in ({"plain_text"} if plain else {"plain_text", "mrkdwn"}):
            self.fail(f"unsupported type: {kind}", f"{where}/type")
        self.fields(value, "text", "emoji" if kind == "plain_text" else "verbatim", where)
        self.string(value, "text", limit, where)
        self.flag(value, "emoji", where)
        self.flag(value, "verbatim", where)

    def flag(self, thing: Json, name: str, where: str) -> None:
        if not isinstance(thing.get(name, False), bool):
            self.fail("must provide a boolean", f"{where}/{name}")

    def number(self, thing: Json, name: str, least: int, most: float, where: str) -> None:
        value = thing.get(name, least)
        if type(value) is not int or not least <= value <= most:
            self.fail(f"must be a whole number from {least} to {most}", f"{where}/{name}")


def errors_in(blocks: object, *, view: bool = False) -> list[str]:
    """All that is wrong with the blocks of a message or view; empty when Slack would take them."""
    check = _Check()
    limit = VIEW_BLOCKS if view else MESSAGE_BLOCKS
    if not isinstance(blocks, list):
        check.fail("must provide an array", "/blocks")
        return check.errors
    if len(blocks) > limit:
        check.fail(f"no more than {limit} items allowed", "/blocks")
    for index, block in enumerate(blocks):
        _check_block(check, block, f"/blocks/{index}")
    if check.focused > 1:
        check.fail("only one element may have the focus on load", "/blocks")
    if check.markdown > MARKDOWN:
        check.fail(f"no more than {MARKDOWN} characters in all markdown blocks together", "/blocks")
    return check.errors


def plain_errors(text: object, limit: int, where: str) -> list[str]:
    """What is wrong with a text object that has to be `plain_text`: those of a view itself."""
    check = _Check()
    check.text(text, limit, where, plain=True)
    return check.errors


def are_too_long(blocks: list[Json]) -> bool:
    """Whether all text together passes what one message may hold."""
    return sum(len(text) for text in _all_text(blocks)) > TOTAL_CHARACTERS


def _all_text(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for inner in value.values():
            yield from _all_text(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _all_text(inner)


def _check_block(check: _Check, block: object, where: str) -> None:
    kind = block.get("type") if isinstance(block, dict) else None
    if not isinstance(block, dict) or kind not in _BLOCKS:
        check.fail(f"unsupported type: {kind}", f"{where}/type")
        return
    check.string(block, "block_id", 255, where)
    if (block_id := block.get("block_id")) in check.block_ids:
        check.fail(f"block_id already exists: {block_id}", f"{where}/block_id")
    elif isinstance(block_id, str):
        check.block_ids.add(block_id)
    if check.fields(block, *_FIELDS[kind], where):
        _BLOCKS[kind](check, block, where)


def _section(check: _Check, block: Json, where: str) -> None:
    if "text" not in block and "fields" not in block:
        check.fail("missing required field: text", where)
    if "text" in block:
        check.text(block["text"], 3_000, f"{where}/text")
    for index, item in enumerate(_items(check, block, "fields", 10, where)):
        check.text(item, 2_000, f"{where}/fields/{index}")
    if "accessory" in block:
        _check_elements(check, [block["accessory"]], _IN_SECTION, f"{where}/accessory")


def _header(check: _Check, block: Json, where: str) -> None:
    check.text(block["text"], 150, f"{where}/text", plain=True)


def _image(check: _Check, block: Json, where: str) -> None:
    """The block, or an image within another one."""
    if ("image_url" in block) == ("slack_file" in block):
        check.fail("exactly one of image_url and slack_file is needed", where)
    check.string(block, "image_url", 3_000, where)
    check.string(block, "alt_text", 2_000, where)
    if "title" in block:
        check.text(block["title"], 2_000, f"{where}/title", plain=True)


def _actions(check: _Check, block: Json, where: str) -> None:
    _check_elements(check, _items(check, block, "elements", 25, where), _IN_ACTIONS, f"{where}/elements")


def _context(check: _Check, block: Json, where: str) -> None:
    for index, element in enumerate(_items(check, block, "elements", 10, where)):
        if isinstance(element, dict) and element.get("type") == "image":
            _check_elements(check, [element], frozenset({"image"}), f"{where}/elements/{index}")
        else:
            check.text(element, 3_000, f"{where}/elements/{index}")


def _input(check: _Check, block: Json, where: str) -> None:
    check.text(block["label"], 2_000, f"{where}/label", plain=True)
    if "hint" in block:
        check.text(block["hint"], 2_000, f"{where}/hint", plain=True)
    for name in ("optional", "dispatch_action"):
        check.flag(block, name, where)
    if block.get("dispatch_action") and block["element"].get("type") == "file_input":
        check.fail("unsupported type: file_input", f"{where}/element/type")
    _check_elements(check, [block["element"]], _IN_INPUT, f"{where}/element")


def _rich_text(check: _Check, block: Json, where: str) -> None:
    known = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
    for index, element in enumerate(_items(check, block, "elements", 1_000, where)):
        if not isinstance(element, dict) or element.get("type") not in known:
            check.fail("unsupported rich text element", f"{where}/elements/{index}")
        else:
            _paragraph(check, element, f"{where}/elements/{index}")


_PARTS: dict[str, str] = {
    "rich_text_section": "",
    "rich_text_list": "indent offset border",
    "rich_text_preformatted": "border language",
    "rich_text_quote": "border",
}
"""What a part of rich text may have beside its elements."""


def _paragraph(check: _Check, element: Json, where: str) -> None:
    kind = str(element["type"])
    check.fields(element, "elements style" if kind == "rich_text_list" else "elements", _PARTS[kind], where)
    if kind == "rich_text_list" and element.get("style") not in ("bullet", "ordered"):
        check.fail("must be one of: bullet, ordered", f"{where}/style")
    check.number(element, "indent", 0, 8, where)
    check.number(element, "border", 0, 1, where)
    _inline(check, element, where)


_INLINE: dict[str, tuple[str, type]] = {
    "text": ("text", str), "link": ("url", str), "emoji": ("name", str), "user": ("user_id", str),
    "usergroup": ("usergroup_id", str), "channel": ("channel_id", str), "broadcast": ("range", str),
    "date": ("timestamp", int), "color": ("value", str),
}  # fmt: skip
"""What an element of rich text must have; none of it may be empty."""


def _inline(check: _Check, element: Json, where: str) -> None:
    """The elements within: a list's are sections, a section's are text and the like."""
    inside = element.get("elements")
    if not isinstance(inside, list):
        check.fail("must provide an array", f"{where}/elements")
        return
    for index, one in enumerate(inside):
        spot, kind = f"{where}/elements/{index}", one.get("type") if isinstance(one, dict) else None
        if kind == "rich_text_section" and element["type"] == "rich_text_list":
            _paragraph(check, one, spot)
        elif kind not in _INLINE or element["type"] == "rich_text_list":
            check.fail("unsupported rich text element", spot)
        else:
            name, needed = _INLINE[kind]
            if not isinstance(one.get(name), needed) or not one[name]:
                check.fail(f"must provide {name}", spot)
            if kind == "date" and not one.get("format"):
                check.fail("missing required field: format", spot)


def _markdown(check: _Check, block: Json, where: str) -> None:
    check.string(block, "text", MARKDOWN, where)
    check.markdown += len(str(block["text"]))


def _video(check: _Check, block: Json, where: str) -> None:
    check.text(block["title"], 200, f"{where}/title", plain=True)
    if "description" in block:
        check.text(block["description"], 200, f"{where}/description", plain=True)
    for name, limit in (("alt_text", 2_000), ("author_name", 50), ("provider_name", 50), ("video_url", 3_000)):
        check.string(block, name, limit, where)


def _nothing(check: _Check, block: Json, where: str) -> None:
    """A divider has nothing to check."""


_BLOCKS: dict[str, Callable[[_Check, Json, str], None]] = {
    "section": _section, "divider": _nothing, "header": _header, "image": _image, "actions": _actions,
    "context": _context, "input": _input, "rich_text": _rich_text, "markdown": _markdown, "video": _video,
}  # fmt: skip


def _items(check: _Check, thing: Json, name: str, limit: int, where: str) -> list[object]:
    if name not in thing:
        return []
    items = thing[name]
    if not isinstance(items, list) or not items:
        check.fail("must provide a non-empty array", f"{where}/{name}")
        return []
    if len(items) > limit:
        check.fail(f"no more than {limit} items allowed", f"{where}/{name}")
    return items


def _check_elements(check: _Check, elements: list[object], allowed: frozenset[str], where: str) -> None:
    """`action_id` is to be unique in its block."""
    action_ids: set[str] = set()
    for element in elements:
        kind = element.get("type") if isinstance(element, dict) else None
        if not isinstance(element, dict) or kind not in allowed:
            check.fail(f"unsupported type: {kind}", where)
            continue
        _check_element(check, element, where)
        action_id = element.get("action_id")
        if isinstance(action_id, str) and action_id in action_ids:
            check.fail(f"action_id already exists: {action_id}", where)
        action_ids.add(str(action_id))


def _check_element(check: _Check, element: Json, where: str) -> None:
    kind = str(element["type"])
    if not check.fields(element, *_fields_of(kind), where):
        return
    check.string(element, "action_id", 255, where)
    if "button" in kind and "radio" not in kind:
        _check_button(check, element, where)
    if kind == "image":
        _image(check, element, where)
    if "placeholder" in element:
        check.text(element["placeholder"], 150, f"{where}/placeholder", plain=True)
    if "confirm" in element:
        _check_confirm(check, element["confirm"], f"{where}/confirm")
    for name, (least, most) in _NUMBERS.items():
        check.number(element, name, least, most, where)
    check.focused += element.get("focus_on_load") is True
    _check_choice(check, element, where)


def _fields_of(kind: str) -> tuple[str, str]:
    """(required, optional), beside type."""
    if kind == "image":
        return _IMAGE_ELEMENT
    if kind in _FIELDS:
        return _FIELDS[kind]
    several, source = kind.startswith("multi_"), kind.removeprefix("multi_").removesuffix("_select")
    both, one, many = _OF_SELECT[source]
    chosen = f"{many} max_selected_items" if several else one
    return "action_id", f"placeholder confirm focus_on_load {both} {chosen}"


def _check_button(check: _Check, element: Json, where: str) -> None:
    check.text(element["text"], 75, f"{where}/text", plain=True)
    check.string(element, "value", 2_000, where)
    check.string(element, "url", 3_000, where)
    check.string(element, "accessibility_label", 75, where)
    if element.get("style") not in (None, "primary", "danger"):
        check.fail("must be one of: primary, danger", f"{where}/style")


def _check_confirm(check: _Check, confirm: object, where: str) -> None:
    if not isinstance(confirm, dict):
        check.fail("must provide an object", where)
    elif check.fields(confirm, "title text confirm deny", "style", where):
        check.text(confirm["title"], 100, f"{where}/title", plain=True)
        check.text(confirm["text"], 300, f"{where}/text", plain=True)
        check.text(confirm["confirm"], 30, f"{where}/confirm", plain=True)
        check.text(confirm["deny"], 30, f"{where}/deny", plain=True)
        if confirm.get("style") not in (None, "primary", "danger"):
            check.fail("must be one of: primary, danger", f"{where}/style")


def _check_choice(check: _Check, element: Json, where: str) -> None:
    """What can be chosen, and what is chosen from the start."""
    kind = str(element["type"])
    if kind.endswith("static_select") and ("options" in element) == ("option_groups" in element):
        check.fail("exactly one of options and option_groups is needed", where)
    options = _check_options(check, element, kind, where)
    for index, group in enumerate(_items(check, element, "option_groups", 100, where)):
        spot = f"{where}/option_groups/{index}"
        if not isinstance(group, dict):
            check.fail("must provide an object", spot)
        elif check.fields(group, "label options", "", spot):
            check.text(group["label"], 75, f"{spot}/label", plain=True)
            options += _check_options(check, group, kind, spot)
    values = [one["value"] for one in options if isinstance(one, dict) and isinstance(one.get("value"), str)]
    if len(set(values)) < len(values):
        check.fail("an option's value must be unique", where)
    if not kind.endswith("external_select"):
        _check_initial(check, element, options, where)


def _check_options(check: _Check, thing: Json, kind: str, where: str) -> list[object]:
    """An element's own options, or those of one of its groups."""
    options = _items(check, thing, "options", _OPTION_COUNTS.get(kind, 100), where)
    for index, option in enumerate(options):
        spot, plain = f"{where}/options/{index}", kind not in _MAY_BE_MARKUP
        optional = "description url" if kind == "overflow" else "description"
        if not isinstance(option, dict):
            check.fail("must provide an object", spot)
        elif check.fields(option, "text value", optional, spot):
            check.text(option["text"], 75, f"{spot}/text", plain=plain)
            if "description" in option:
                check.text(option["description"], 75, f"{spot}/description", plain=plain)
            check.string(option, "value", 150, spot)
            check.string(option, "url", 3_000, spot)
    return options


def _check_initial(check: _Check, element: Json, options: list[object], where: str) -> None:
    """Exactly as it stands among the options."""
    chosen = [element["initial_option"]] if "initial_option" in element else []
    for one in [*chosen, *_items(check, element, "initial_options", 100, where)]:
        if one not in options:
            check.fail("must exactly match one of the options", where)


def reading_of(blocks: list[Json]) -> Reading:
    """Every ping and link that the blocks cause when they are shown."""
    reading = Reading()
    for block in blocks:
        _read_value(block, reading)
    return reading


def _read_value(value: object, reading: Reading) -> None:
    if isinstance(value, list):
        for item in value:
            _read_value(item, reading)
    elif isinstance(value, dict):
        _read_object(value, reading)


def _read_object(thing: Json, reading: Reading) -> None:
    kind = thing.get("type")
    if kind in ("mrkdwn", "markdown"):
        reading.add(read(str(thing.get("text", "")), verbatim=bool(thing.get("verbatim"))))
    elif kind == "plain_text":
        text = str(thing.get("text", ""))
        reading.marks += EMOJI_NAME.findall(text) if thing.get("emoji", True) else []
    elif kind == "link":
        reading.links.append(Link(str(thing.get("url")), str(thing.get("text", ""))))
    elif kind == "channel":
        reading.links.append(Link(str(thing.get("channel_id")), "", "channel"))
    elif kind in ("user", "usergroup"):
        reading.pings.append(Ping(str(kind), str(thing.get(f"{kind}_id"))))
    elif kind == "text" and thing.get("style"):
        reading.marks.append(str(thing.get("text", "")))
    elif kind in ("emoji", "date", "color"):
        reading.marks.append(kind)
    elif kind == "broadcast":
        reading.pings.append(Ping(str(thing.get("range"))))
    else:
        for inner in thing.values():
            _read_value(inner, reading)


def buttons_in(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Each (block, element) that a person can press or choose from."""
    for block in blocks:
        elements = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        for element in elements:
            if isinstance(element, dict) and "action_id" in element:
                yield block, element
