"""How Slack reads text: which parts ring phones, which become links, and what is stored in place of what was sent.

Text from an app holds control sequences in `<…>` and wants `& < >` escaped. Whatever an app forgets to escape
*works*: `<!channel>` from a customer rings everybody. Text that a person types is escaped by Slack itself, and
addresses in it become links: `see example.com` arrives as `see <http://example.com|example.com>`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .workspace import Json, Link, Ping

CONTROL = re.compile(r"<([@#!][^<>]+|(?:[A-Za-z][\w+.-]*:|[\w-]+(?:\.[\w-]+)+)[^<>]*)>")
ADDRESS = re.compile(
    r"(?P<url>https?://[^\s<>|]*[^\s<>|.,!?;:)\]'\"、。])"
    r"|(?P<mail>(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<bare>(?<![\w@./:-])(?:[A-Za-z0-9-]+\.)+(?:com|net|org|io|jp|cn|co|dev|app|info|me)\b(?:/[^\s<>|]*)?)"
)
EMOJI = {
    "😀": "grinning", "😂": "joy", "👍": "+1", "🙏": "pray", "👀": "eyes", "✅": "white_check_mark",
    "🎉": "tada", "❤️": "heart", "😢": "cry", "🔥": "fire", "⚠️": "warning",
}  # fmt: skip
"""Slack stores emoji by name. A few stand for all."""
_EMOJI = re.compile("|".join(map(re.escape, EMOJI)))
EMOJI_NAME = re.compile(r":([\w+-]+):")
_BY_NAME = {name: sign for sign, name in EMOJI.items()}
_MARKED = re.compile(
    r"(?<!\w)([*_~])(?![\s*_~])[^\n]*?[^\s]\1(?!\w)|`[^`\n]+`|```.+?```|^>.*|:[a-z0-9_+-]+:(?::skin-tone-[2-6]:)?",
    re.DOTALL | re.MULTILINE,
)
"""What Slack draws as something else; rather more than it does."""
_NAME = re.compile(r"(?<![\w<])([@#])([\w.-]+)")
_EVERYBODY = ("channel", "here", "everyone")


@dataclass
class Reading:
    """What a text does when Slack shows it."""

    pings: list[Ping] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)  # bold, quotes, code, emoji: shown as something else than written

    def add(self, other: "Reading") -> None:
        self.pings += other.pings
        self.links += other.links
        self.marks += other.marks


def read(text: str, *, by_name: Callable[[str, str], str] | None = None, verbatim: bool = False) -> Reading:
    """Find pings and links in an app's text.

    `by_name(sign, name)` gives the id behind `@name` or `#name`; passed when the app set `link_names` or
    `parse=full`, whereupon names alone ring. `verbatim` switches off the search for bare addresses.
    """
    reading = Reading()
    for is_control, piece in _pieces(text):
        if is_control:
            _read_control(piece, reading)
        else:
            _read_plain(piece, reading, by_name, verbatim)
    reading.marks = [found.group() for found in _MARKED.finditer(unescape(CONTROL.sub(" ", text)))]
    return reading


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Split into (True, the inside of a control sequence) and (False, plain text)."""
    for index, piece in enumerate(CONTROL.split(text)):
        if piece:
            yield index % 2 == 1, piece


def _read_control(body: str, reading: Reading) -> None:
    target, _, label = body.partition("|")
    if target.startswith("@"):
        reading.pings.append(Ping("user", target[1:]))
    elif target.startswith("#"):
        reading.links.append(Link(target[1:], label, "channel"))
    elif target.startswith("!subteam^"):
        reading.pings.append(Ping("usergroup", target.removeprefix("!subteam^")))
    elif target.startswith("!date^"):
        reading.links.append(Link(target, label, "date"))
    elif target.startswith("!"):
        reading.pings.append(Ping(target[1:]))
    else:
        reading.links.append(Link(unescape(target), unescape(label)))


def _read_plain(piece: str, reading: Reading, by_name: Callable[[str, str], str] | None, verbatim: bool) -> None:
    if not verbatim:
        reading.links += [Link(_address_url(m), m.group(), "auto") for m in ADDRESS.finditer(unescape(piece))]
    for sign, name in _NAME.findall(piece) if by_name else ():
        if sign == "@" and name in _EVERYBODY:
            reading.pings.append(Ping(name))
        elif by_name and (found := by_name(sign, name)):
            _read_control(sign + found, reading)


def _address_url(match: re.Match[str]) -> str:
    found = match.group()
    return {"url": found, "mail": f"mailto:{found}", "bare": f"http://{found}"}[match.lastgroup or "url"]


def stored(text: str, *, verbatim: bool = False) -> str:
    """The form in which Slack keeps an app's text: strays escaped, addresses as `<…>`, emoji by name."""
    whole = "".join(f"<{p}>" if control else _stored_plain(p, verbatim) for control, p in _pieces(text))
    return name_emoji(whole)


def _stored_plain(piece: str, verbatim: bool) -> str:
    escaped = escape(unescape(piece))
    return escaped if verbatim else _link_addresses(escaped)


def _link_addresses(escaped: str) -> str:
    return ADDRESS.sub(lambda m: f"<{_address_markup(m)}>", escaped)


def _address_markup(match: re.Match[str]) -> str:
    url, found = _address_url(match), match.group()
    return url if url == found else f"{url}|{found}"


def typed(text: str) -> str:
    """The `text` of a message that a person typed (mentions may be given as `<@U…>`, everything else is literal)."""
    kept = re.split(r"(<[@#][A-Z][A-Z0-9]+>)", text)
    return name_emoji("".join(p if i % 2 else _link_addresses(escape(p)) for i, p in enumerate(kept)))


def rich_text(text: str) -> Json:
    """The rich_text block that Slack's editor makes of a person's typing (unescaped, addresses as link elements)."""
    elements: list[Json] = []
    for index, piece in enumerate(re.split(r"(<[@#][A-Z][A-Z0-9]+>)", text)):
        if index % 2:
            kind = "channel" if piece[1] == "#" else "user"
            elements.append({"type": kind, f"{kind}_id": piece[2:-1]})
        else:
            elements += _rich_plain(piece)
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "elements": [section]}


def _rich_plain(piece: str) -> Iterator[Json]:
    end = 0
    for match in ADDRESS.finditer(piece):
        yield from _rich_words(piece[end : match.start()])
        link: Json = {"type": "link", "url": _address_url(match)}
        yield link if link["url"] == match.group() else link | {"text": match.group()}
        end = match.end()
    yield from _rich_words(piece[end:])


def _rich_words(piece: str) -> Iterator[Json]:
    end = 0
    for match in _EMOJI.finditer(piece):
        if piece[end : match.start()]:
            yield {"type": "text", "text": piece[end : match.start()]}
        unicode = "-".join(f"{ord(c):x}" for c in match.group())
        yield {"type": "emoji", "name": EMOJI[match.group()], "unicode": unicode}
        end = match.end()
    if piece[end:]:
        yield {"type": "text", "text": piece[end:]}


def seen(text: str, name_of: Callable[[str], str] = lambda user_id: user_id) -> str:
    """What a person reads on the screen for a stored text: labels for links, names for ids, emoji, nothing escaped."""
    shown = [_seen_control(p, name_of) if control else p for control, p in _pieces(text)]
    return unescape(EMOJI_NAME.sub(lambda m: _BY_NAME.get(m.group(1), m.group()), "".join(shown)))


def _seen_control(body: str, name_of: Callable[[str], str]) -> str:
    target, _, label = body.partition("|")
    if label:
        return label
    if target[0] in "@#":
        return target[0] + name_of(target[1:])
    return "@" + target[1:] if target[0] == "!" else target


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def name_emoji(text: str) -> str:
    return _EMOJI.sub(lambda m: f":{EMOJI[m.group()]}:", text)
