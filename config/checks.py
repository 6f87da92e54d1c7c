"""What `check` and `doctor` say of the settings, the policy and this machine. Whatever is plainly wrong was refused on
loading; here is what works and should still be known: what a choice costs, and what is probably not meant.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from bridge.doctor import Finding, Level
from config.locales import LANGUAGES
from config.policy import Rulebook
from config.secrets import FILE as SECRETS_FILE
from config.settings import Settings, SlackSettings
from config.values import is_loopback, split

LITTLE_SPACE = 1 << 30
NO_SPACE = 1 << 28
"""Bytes. A full disk ends the private engine, so the alarm comes long before."""

SPARE_FILES = 256
"""Open files beside the customers' connections: Redis, Slack, logs, attachments."""

ANSWER_WITHIN = 5.0  # seconds; for our own public address


def of_settings(settings: Settings, rulebook: Rulebook) -> list[Finding]:
    """Everything about settings and policy that can be said without opening anything."""
    return [
        *_sources(settings),
        *_policy(settings, rulebook),
        *_exposure(settings),
        *_public_side(settings),
        *_slack(settings.slack),
        Finding("ok", f"Discord is {'on' if settings.discord.enabled else 'off'}"),
        *_engine(settings),
    ]


def of_machine(settings: Settings) -> list[Finding]:
    """What this machine has for us. Opens each port for a moment, and asks our public address whether it is us."""
    return [
        _python(),
        *_data_folder(settings.data_dir),
        *_open_files(settings),
        *(_port(*place) for place in sorted(_places(settings))),
        *_public_address(settings),
    ]


# ------------------------------------------------------------------ settings and policy


def _sources(settings: Settings) -> Iterator[Finding]:
    if settings.config is None:
        yield Finding("ok", "settings: defaults and environment (no kakehashi.toml)")
    else:
        yield Finding("ok", f"settings: {settings.config}, under the environment")


def _policy(settings: Settings, rulebook: Rulebook) -> Iterator[Finding]:
    desks = ", ".join(f"{desk.id} ({desk.network})" for desk in rulebook.policy.desks.values())
    yield Finding("ok", f"desks: {desks}")
    yield Finding("ok", f"topics: {', '.join(rulebook.policy.topics)}")
    if settings.pagers:
        pagers = ", ".join(f"{name} ({pager.kind})" for name, pager in settings.pagers.items())
        yield Finding("ok", f"pagers: {pagers}")
    yield from rulebook.doubts
    for topic, titles in rulebook.topic_titles.items():
        missing = [language for language in LANGUAGES if language not in titles]
        if missing:
            yield Finding("warn", f"topic {topic} has no title in {', '.join(missing)}", f"add it to topics.{topic}")


def _exposure(settings: Settings) -> Iterator[Finding]:
    """What listening on a public address costs."""
    if is_loopback(settings.web.host):
        return
    yield Finding(
        "warn",
        f"web.host = {settings.web.host}: every machine that reaches this one can talk to us, unencrypted",
        "listen on 127.0.0.1 behind a proxy with TLS (docs/examples), or keep the port inside a private network",
    )
    if settings.desk.enabled and settings.desk.port is None:
        yield Finding(
            "warn", "the operators' desk is open to the same machines", "give it a listener of its own: desk.port"
        )
    if settings.metrics.enabled and settings.metrics.port is None:
        yield Finding("warn", "so are the metrics", "give them a listener of their own: metrics.port")


def _public_side(settings: Settings) -> Iterator[Finding]:
    if settings.public_url is None:
        return
    yield Finding("ok", f"public address: {settings.url}")
    if settings.public_url.startswith("http://") and not is_loopback(split(settings.public_url).hostname or ""):
        yield Finding("warn", "the public address is not encrypted", "use https:// in public_url")
    if not settings.trusted_proxies:
        mend = "set trusted_proxies to the proxy's network, such as 127.0.0.1/32"
        yield Finding("warn", "every customer seems to come from the proxy: limits per address hit them all", mend)
    if settings.web.demo:
        yield Finding("warn", "the demo page is public", "set web.demo = false")
    if settings.files.origin is None:
        yield Finding("warn", "customers' files are served from our own origin", "set files.origin to a separate one")
    if not settings.web.jwt.enabled:
        yield Finding("ok", "every customer is a visitor (web.jwt has no keys)")


def _slack(slack: SlackSettings) -> Iterator[Finding]:
    if not slack.enabled:
        yield Finding("ok", "Slack is off")
        return
    yield Finding("ok", f"Slack is on, events come by {slack.events}")
    for name, prefix in (("bot_token", "xoxb-"), ("app_token", "xapp-")):
        token = getattr(slack, name)
        if token is not None and not token.get_secret_value().startswith(prefix):
            yield Finding("warn", f"slack.{name} does not begin with {prefix}", "copy it again from the app's page")


def _engine(settings: Settings) -> Iterator[Finding]:
    redis = settings.redis
    if redis.private:
        yield Finding("ok", f"engine: a private redis-server in {settings.data_dir}")
        return
    yield Finding("ok", "engine: your Redis")
    url = split(redis.url.get_secret_value()) if redis.url else None
    if url is not None and url.scheme == "redis" and not is_loopback(url.hostname or ""):
        yield Finding("warn", "customers' words travel to Redis unencrypted", "use rediss:// in redis.url")
    if redis.allow_eviction:
        yield Finding("warn", "redis.allow_eviction: this Redis may throw messages away", "remove it")


# ------------------------------------------------------------------ this machine


def _python() -> Finding:
    return Finding("ok", f"Python {'.'.join(map(str, sys.version_info[:3]))}")


def _data_folder(data_dir: Path) -> Iterator[Finding]:
    if not data_dir.exists():
        yield Finding("ok", f"data folder {data_dir} will be made at the first start")
        return
    if not os.access(data_dir, os.W_OK | os.X_OK):
        yield Finding("fail", f"we may not write to {data_dir}", f"chown {os.geteuid()} {data_dir}")
        return
    yield from _private(data_dir, 0o700)
    yield from _private(data_dir / SECRETS_FILE, 0o600)
    yield _space(data_dir)


def _private(path: Path, mode: int) -> Iterator[Finding]:
    """The folder should be ours alone; the secrets must be, or nothing starts."""
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        level: Level = "warn" if path.is_dir() else "fail"
        yield Finding(level, f"other users may look into {path}", f"chmod {mode:o} {path}")


def _space(data_dir: Path) -> Finding:
    free = shutil.disk_usage(data_dir).free
    what = f"{free / (1 << 30):.1f} GiB free in {data_dir}"
    if free < LITTLE_SPACE:
        return Finding("fail" if free < NO_SPACE else "warn", what, "make room: a full disk stops all deliveries")
    return Finding("ok", what)


def _open_files(settings: Settings) -> Iterator[Finding]:
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.web.max_connections + SPARE_FILES
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        mend = f"ulimit -n {wanted} (systemd: LimitNOFILE), or lower web.max_connections"
        yield Finding("warn", f"{allowed} open files are allowed, web.max_connections needs {wanted}", mend)


def _places(settings: Settings) -> set[tuple[str, int]]:
    """Where we shall listen. Port 0 is any free one."""
    own = [(part.host or settings.web.host, part.port) for part in (settings.desk, settings.metrics) if part.enabled]
    places = [(settings.web.host, settings.web.port), *own]
    return {(host, port) for host, port in places if port}


def _port(host: str, port: int) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return _taken(host, port, error)
    return Finding("ok", f"port {port} on {host} is free")


def _taken(host: str, port: int, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        mend = "all is well if that is Kakehashi; else set another port"
        return Finding("warn", f"port {port} on {host} is in use", mend)
    return Finding("fail", f"we cannot listen on {host}, port {port} ({error.strerror})", "set another host or port")


def _public_address(settings: Settings) -> Iterator[Finding]:
    if settings.public_url is None:
        return
    address = f"{settings.url}/healthz"
    try:
        with urlopen(address, timeout=ANSWER_WITHIN) as answer:  # noqa: S310 - checked on loading: http or https only
            answers = answer.status == 200
    except (URLError, OSError, ValueError):
        answers = False
    if answers:
        yield Finding("ok", f"{address} answers")
    else:
        yield Finding("warn", f"{address} does not answer", "start `kakehashi up`, then look at the proxy in front")
