"""Kinds of values as people write them (`90s`, `10 MiB`, `a, b, c`, an origin), and how each is read and checked."""

from __future__ import annotations

import json
import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_BYTES = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


def wrong(what: str, mend: str, key: str = "") -> PydanticCustomError:
    """A validator's complaint, in our parts. `key` names the field meant, where a whole section is being checked.

    Neither text may hold the value: it could be a secret.
    """
    return PydanticCustomError("wrong", "{what}", {"what": what, "mend": mend, "key": key})


def seconds(value: Any) -> Any:
    """`90`, `"90s"`, `"10m"`, `"24h"`, `"7d"`, `"250ms"`: in seconds."""
    if not isinstance(value, str):
        return value
    number, unit = _parse(value, "a time", 'write a number with its unit, such as "90s", "10m", "24h" or "7d"')
    if unit not in _SECONDS and unit:
        raise wrong(f"the unit of time '{unit}' is unknown", "use ms, s, m, h or d")
    return float(number) * _SECONDS.get(unit, 1.0)


def size(value: Any) -> Any:
    """`1048576`, `"1 MiB"`, `"10MB"`: in bytes."""
    if not isinstance(value, str):
        return value
    number, unit = _parse(value, "a size", 'write a number with its unit, such as "512 KiB" or "10 MiB"')
    if unit.lower() not in _BYTES:
        raise wrong(f"the unit of size '{unit}' is unknown", "use KiB, MiB, GiB, kB, MB or GB")
    return int(float(number) * _BYTES[unit.lower()])


def several(value: Any) -> Any:
    """A list; from the environment as `a, b, c`, or as JSON where the parts have parts themselves."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith(("[", "{")):
        return table(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def table(value: Any) -> Any:
    """A table; from the environment as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise wrong("this is not valid JSON", "write a JSON list or object, or set it in kakehashi.toml") from error


def _parse(value: str, kind: str, mend: str) -> tuple[str, str]:
    match = _QUANTITY.fullmatch(value.strip())
    if match is None:
        raise wrong(f"this is not {kind}", mend)
    return match[1], match[2]


# ------------------------------------------------------------------ addresses


def split(address: str) -> SplitResult:
    """An address in its parts. What urllib says of a broken one holds the address, which may hold a password."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # read late, and raises then
    except ValueError:
        raise wrong("this is not an address", 'write it whole, such as "https://www.example.com"') from None
    return parts


def _origin(value: str) -> str:
    """An origin exactly as browsers send it: scheme, host and port, nothing behind."""
    parts = split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong("this is not a web origin", 'write scheme and host, such as "https://www.example.com"')
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise wrong("an origin has nothing behind the host and port", f'write "{parts.scheme}://{parts.hostname}"')
    return f"{parts.scheme}://{_netloc(parts.scheme, parts.hostname, parts.port)}"


def _netloc(scheme: str, host: str, port: int | None) -> str:
    """Browsers leave out a scheme's own port, so a list that has it would never match."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port in (None, {"http": 80, "https": 443}[scheme]) else f"{shown}:{port}"


def _web_address(value: str) -> str:
    parts = split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong("this is not a web address", 'write it whole, such as "https://help.example.com"')
    return value


def _admin_link(value: str) -> str:
    """An address with gaps in braces behind its host: what is filled in may not choose where it leads."""
    if not value:
        return value
    parts = split(value)
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise wrong("this is not an https address", 'write it as in "https://admin.example.com/users/{account_id}"')
    if "{" in parts.netloc or any(sign in '<>|\\"' or sign.isspace() for sign in value):
        raise wrong("this cannot stand in an address", "put gaps into its path or query only")
    return value


def _base_path(value: str) -> str:
    """Empty, or `/support`: a slash before and none behind."""
    path = value.strip("/")
    if path and not all(part.replace("-", "").replace("_", "").isalnum() for part in path.split("/")):
        raise wrong("this is not a plain path", 'write something like "/support"')
    return f"/{path}" if path else ""


def _api_url(value: str) -> str:
    """A base address, written with its slash behind or without."""
    parts = split(_web_address(value))
    if parts.query or parts.fragment:
        raise wrong("this is no base address", "leave out what follows the path: a question mark or a hash")
    return value if value.endswith("/") else f"{value}/"


def _gateway_url(value: str) -> str:
    parts = split(value)
    if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.query or parts.fragment:
        raise wrong("this is not a gateway's address", 'write it as in "wss://gateway.discord.gg/"')
    return value if value.endswith("/") else f"{value}/"


def _colour(value: str) -> str:
    digits = value.removeprefix("#")
    if not value.startswith("#") or len(digits) not in (3, 6) or set(digits.lower()) - set("0123456789abcdef"):
        raise wrong("this is not a colour", 'write it as in "#1f5fbf"')
    return value.lower()


def _network(value: object) -> object:
    try:
        return ip_network(value) if isinstance(value, str) else value
    except ValueError as error:
        raise wrong("this is not a network", 'write it with its bare base address, such as "10.0.0.0/8"') from error


def _site(value: str) -> str:
    if not value.replace("-", "").isalnum() or not value.isascii():
        raise wrong("a site's id has letters, digits and hyphens only", 'write something like "main"')
    return value


def listener_url(host: str, port: int) -> str:
    """An address that a browser on this machine opens."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - recognised, not bound to
    return f"http://{_netloc('http', shown, port)}"


LOOPBACK_NAMES = ("localhost",)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


ID = r"^[a-z0-9][a-z0-9_.-]{0,39}$"
MAIL = r"^[^@\s]+@[^@\s]+$"
OR_MAIL = rf"^$|{MAIL}"
SLACK_CHANNEL = r"^[A-Z0-9]{5,}$"
SLACK_USER = r"^[UW][A-Z0-9]{4,}$"
DISCORD_ID = r"^[0-9]{15,20}$"
PUBLIC_KEY = r"^[0-9a-fA-F]{64}$"

Id = Annotated[str, Field(pattern=ID)]
Seconds = Annotated[float, BeforeValidator(seconds)]
Bytes = Annotated[int, BeforeValidator(size)]
Several = BeforeValidator(several)
Table = BeforeValidator(table)
Port = Annotated[int, Field(ge=0, le=65_535)]
Origin = Annotated[str, AfterValidator(_origin)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Positive = Annotated[int, Field(gt=0)]
AdminLink = Annotated[str, AfterValidator(_admin_link)]
WebPath = Annotated[str, AfterValidator(_base_path)]
ApiAddress = Annotated[str, AfterValidator(_api_url)]
GatewayAddress = Annotated[str, AfterValidator(_gateway_url)]
Colour = Annotated[str, AfterValidator(_colour)]
Name = Annotated[str, AfterValidator(_site)]
