"""Every setting there is: typed sections, with their defaults, bounds and reasons.

`docs/settings.md` is printed from here. Where values come from is `config/sources.py`; desks, topics and operators
are the policy's, in `config/policy.py`. An adapter is handed its own section and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bridge.files import MIB
from bridge.networks.card import ACCOUNT_ID
from bridge.templates import gaps
from config.mistakes import settings_errors
from config.sources import Environment, TomlFile, chosen_by, origin
from config.values import (
    DISCORD_ID,
    MAIL,
    PUBLIC_KEY,
    SLACK_CHANNEL,
    AdminLink,
    ApiAddress,
    Bytes,
    Colour,
    GatewayAddress,
    Id,
    Name,
    Network,
    Origin,
    Port,
    Positive,
    Seconds,
    Several,
    Table,
    WebAddress,
    WebPath,
    is_loopback,
    listener_url,
    split,
    wrong,
)

HMAC_SECRET_BYTES = 32
"""RFC 7518 3.2: a key for HS256 has at least as many bits as the hash."""


class Section(BaseModel):
    """What all sections share: unknown keys are mistakes, and no error shows a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


# ------------------------------------------------------------------ the customers' side


class JwtKey(Section):
    """One key that the site signs its customers' tokens with."""

    kid: str = Field(description="the key's id, as in the token's header")
    algorithm: Literal[
        "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"
    ] = Field(default="HS256", description="the only algorithm that is accepted with this key")
    secret: SecretStr | None = Field(default=None, description="for HS…: the shared secret, at least 32 bytes")
    public_key: str | None = Field(default=None, description="for all others: the public key, in PEM")

    @property
    def material(self) -> str:
        """What verifies a signature: the shared secret, or the public key."""
        return self.secret.get_secret_value() if self.secret else self.public_key or ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.algorithm.startswith("HS"):
            self._check_secret()
        else:
            self._check_public_key()
        return self

    def _check_secret(self) -> None:
        if self.secret is None:
            raise wrong(f"{self.algorithm} needs a shared secret", "set it to at least 32 random bytes", "secret")
        if len(self.secret.get_secret_value().encode()) < HMAC_SECRET_BYTES:
            raise wrong("the secret is shorter than 32 bytes", "make one with: openssl rand -base64 48", "secret")

    def _check_public_key(self) -> None:
        if self.public_key is None:
            raise wrong(f"{self.algorithm} needs a public key", "give the key in PEM", "public_key")
        try:
            load_pem_public_key(self.public_key.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise wrong(
                "this is not a public key in PEM", "begin with -----BEGIN PUBLIC KEY-----", "public_key"
            ) from error


class JwtSettings(Section):
    """How the site tells us who its customer is. Without keys every customer is a visitor."""

    keys: Annotated[tuple[JwtKey, ...], Several] = Field(
        default=(), description="the keys that are alive; two while one replaces the other"
    )
    audience: str = Field(default="", description="the `aud` that a token must have; required with keys")
    max_lifetime: Seconds = Field(default=900, gt=0, description="the longest life that a token may give itself")
    leeway: Seconds = Field(default=30, ge=0, le=300, description="how far the site's clock may be off")
    claims: Annotated[tuple[str, ...], Several] = Field(
        default=("name",), description="what else of a token operators may see; nothing else is kept"
    )

    @property
    def enabled(self) -> bool:
        return bool(self.keys)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.keys and not self.audience:
            raise wrong("tokens need an audience", 'set it, for instance to "kakehashi"', "audience")
        ids = [key.kid for key in self.keys]
        if len(set(ids)) < len(ids):
            raise wrong("two keys have the same kid", "give each key its own kid", "keys")
        return self


class BrandSettings(Section):
    """What the widget calls itself."""

    name: str = Field(default="Support", min_length=1, max_length=60, description="shown in the widget's header")
    colour: Colour = Field(default="#1f5fbf", description="the accent, as #rrggbb")


class ContactSettings(Section):
    """Other ways to reach you, shown where they are set."""

    help_centre: WebAddress | None = Field(default=None, description="address of the help centre")
    faq: WebAddress | None = Field(default=None, description="address of the questions asked most")
    mail: str | None = Field(default=None, pattern=MAIL, description="mail address")
    phone: str | None = Field(default=None, max_length=40, description="telephone number, as people write it")
    phone_hours: str | None = Field(default=None, max_length=80, description="when somebody answers the telephone")
    recording_policy: WebAddress | None = Field(default=None, description='what "chats are recorded" links to')


class IdentitySettings(Section):
    """The site's own identity check: where a customer proves who they are, and how the site tells us the outcome.

    What they enter for it never passes through us: the site signs a token that names our nonce, and hands it in.
    """

    url: WebAddress | None = Field(default=None, description="the site's page for it; no identity checks when unset")
    keys: Annotated[tuple[JwtKey, ...], Several] = Field(
        default=(), description="what the site signs the outcome with; those of web.jwt when unset"
    )
    audience: str = Field(
        default="kakehashi-identity", min_length=1, description="the `aud` that the outcome must have"
    )
    max_age: Seconds = Field(default=600, gt=0, description="how old the `auth_time` of the proof may be")
    leeway: Seconds = Field(default=30, ge=0, le=300, description="how far the site's clock may be off")
    amr: Annotated[tuple[str, ...], Several] = Field(
        default=(), description="ways of proving of which one is demanded, such as otp or hwk; any when unset"
    )

    @property
    def enabled(self) -> bool:
        return self.url is not None


class EmergencyLink(Section):
    """A way out that cannot wait for an answer, such as freezing an account. Emergency topics show it before a form."""

    url: WebAddress = Field(description="where it leads")
    titles: Annotated[dict[str, str], Table] = Field(min_length=1, description="its name, by language")


class WebLimits(Section):
    """Bounds on what one customer, or one address, may ask of us."""

    frame: Bytes = Field(default=16 * 1024, ge=8 * 1024, description="the largest frame, in bytes")
    hello_within: Seconds = Field(default=10, gt=0, description="a connection that has not said who it is is cut")
    messages_per_minute: Positive = Field(default=30, description="messages of one customer")
    frames_per_second: Positive = Field(default=20, description="frames of one connection, in the long run")
    frames_burst: Positive = Field(default=60, description="frames of one connection, at once")
    connections_per_customer: Positive = Field(default=12, description="open pages of one customer")
    connections_per_address: Positive = Field(default=200, description="of one address; offices share one")
    backlog: Bytes = Field(default=256 * 1024, gt=0, description="unsent bytes after which a slow reader is cut")
    beat: Seconds = Field(default=25, gt=0, lt=30, description="heartbeat; proxies cut silent connections at 60 s")
    poll: Seconds = Field(default=25, gt=0, lt=30, description="the longest that a long poll waits")


class WebSettings(Section):
    """The customers' side: the widget, its socket, and the demo page."""

    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: Port = Field(default=8787, description="port to listen on; 0 takes a free one")
    origins: Annotated[tuple[Origin, ...], Several] = Field(
        default=(),
        description="sites that may embed the widget, as browsers name them; ours is always allowed",
    )
    demo: bool = Field(default=True, description="show the demo page at /; switch it off in production")
    seen: bool = Field(default=False, description='tell customers "Seen" when it is known to be true')
    max_connections: Positive = Field(default=16_000, description="sockets and polls of one process")
    jwt: JwtSettings = Field(default_factory=JwtSettings)
    limits: WebLimits = Field(default_factory=WebLimits)
    brand: BrandSettings = Field(default_factory=BrandSettings)
    contact: ContactSettings = Field(default_factory=ContactSettings)
    identity: IdentitySettings = Field(default_factory=IdentitySettings)
    emergency: Annotated[tuple[EmergencyLink, ...], Several] = Field(default=(), description="links that cannot wait")
    admin_link: AdminLink = Field(
        default="",
        description="a customer's page in your own admin, for operators: `https://admin.example.com/users/{account_id}`",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.identity.enabled and not (self.identity.keys or self.jwt.keys):
            raise wrong("the outcome of an identity check must be signed", "set its keys", "identity.keys")
        unknown = set(gaps(self.admin_link)) - {ACCOUNT_ID, *self.jwt.claims}
        if unknown:
            named = ", ".join(sorted(unknown))
            mend = f"use {{{ACCOUNT_ID}}}, or let the claim through in web.jwt.claims"
            raise wrong(f"nothing is known by the name {named}", mend, "admin_link")
        return self


# ------------------------------------------------------------------ the operators' side


class Listener(Section):
    """A part of the service that may listen on its own. Without a port it shares the customers' listener."""

    enabled: bool = Field(default=True, description="serve it at all")
    host: str | None = Field(default=None, description="address of its own listener; the customers' when unset")
    port: Port | None = Field(default=None, description="port of its own listener; shares the customers' when unset")

    @model_validator(mode="after")
    def _check_listener(self) -> Self:
        if self.host is not None and self.port is None:
            raise wrong("an address without a port does nothing", "set the port of its own listener too", "port")
        return self


class DeskSettings(Listener):
    """The built-in operator desk, at /console."""

    public_url: Origin | None = Field(
        default=None, description="where operators reach it, when its own listener is behind a proxy"
    )
    session_lifetime: Seconds = Field(default=12 * 3600, gt=0, description="after this an operator signs in again")
    idle_lifetime: Seconds = Field(default=2 * 3600, gt=0, description="and after this long without a click")
    amber_after: Seconds = Field(default=180, gt=0, description="a waiting time turns amber")
    red_after: Seconds = Field(default=300, gt=0, description="and red")
    link_lifetime: Seconds = Field(default=900, gt=0, description="life of the sign-in link that `up` prints")


class MetricsSettings(Listener):
    """Prometheus metrics, at /metrics."""


class SlackRates(Section):
    """How fast we post. The defaults are Slack's published limits; raise them for a test server only."""

    posts_per_second: float = Field(default=1.0, gt=0, description="chat.postMessage per channel, in the long run")
    burst: Positive = Field(default=3, description="posts to one channel at once")
    posts_per_minute: Positive = Field(default=300, description="chat.postMessage of the whole workspace")
    tier_multiplier: float = Field(default=1.0, gt=0, description="times the published rate of every other method")


class SlackSettings(Section):
    """Slack as the operators' place. It is on as soon as there is a bot token."""

    bot_token: SecretStr | None = Field(default=None, description="xoxb-…: what the app acts with")
    app_token: SecretStr | None = Field(default=None, description="xapp-…: for Socket Mode")
    signing_secret: SecretStr | None = Field(default=None, description="for signed HTTP events")
    api_url: ApiAddress = Field(
        default="https://slack.com/api/", description="base address; GovSlack, proxies and test servers have another"
    )
    mode: Literal["auto", "socket", "http"] = Field(
        default="auto",
        description="how events come in; auto is http where there is a signing secret alone, else socket",
    )
    handlers: int = Field(
        default=2, ge=1, le=10, description="Socket Mode connections; one alone is deaf while it reconnects"
    )
    channel: str | None = Field(
        default=None, pattern=SLACK_CHANNEL, description="channel id of the one desk, when no desks are written"
    )
    allow_shared_channels: bool = Field(
        default=False,
        description="post in channels that are shared with another organisation (Slack Connect), too; its members read "
        "what customers write",
    )
    presence: bool = Field(
        default=False,
        description="ask Slack each minute which operators are active; needs the scope users:read, so it costs the app "
        "the right to read people's names",
    )
    takeover_after: Seconds = Field(
        default=300,
        ge=0,
        description="the built-in desk takes a session over when Slack has taken nothing of it for so long; 0: never",
    )
    rates: SlackRates = Field(default_factory=SlackRates)

    @property
    def enabled(self) -> bool:
        return self.bot_token is not None

    @property
    def events(self) -> Literal["socket", "http"]:
        """How events come in, decided. Before there is any token it is the way that needs no public address: the
        first manifest is printed then."""
        if self.mode != "auto":
            return self.mode
        return "http" if self.signing_secret and not self.app_token else "socket"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.enabled:
            return self._check_off()
        if self.mode == "auto" and not (self.app_token or self.signing_secret):
            raise wrong(
                "Slack could not tell us anything",
                "set slack.app_token for Socket Mode, or slack.signing_secret for HTTP events",
                "app_token",
            )
        if self.mode == "socket" and self.app_token is None:
            raise wrong("Socket Mode needs an app token", "make one with the scope connections:write", "app_token")
        if self.mode == "http" and self.signing_secret is None:
            raise wrong("HTTP events need the signing secret", "copy it from Basic Information", "signing_secret")
        return self

    def _check_off(self) -> Self:
        if self.app_token or self.signing_secret or self.channel:
            raise wrong("Slack needs a bot token", "set it (xoxb-…), or remove the other Slack settings", "bot_token")
        return self


class DiscordSettings(Section):
    """Discord as the operators' place. It is on as soon as there is a bot token."""

    bot_token: SecretStr | None = Field(default=None, description="what the bot acts with, from the page “Bot”")
    public_key: str | None = Field(
        default=None,
        pattern=PUBLIC_KEY,
        description="from the page “General Information”: `/discord/interactions` takes what this key signed",
    )
    channel: str | None = Field(
        default=None,
        pattern=DISCORD_ID,
        description="id of the one desk's channel, a forum or a text channel, when no desks are written",
    )
    allow_public_channels: bool = Field(
        default=False,
        description="post in channels that @everyone can see, too; whoever is on the server reads what customers write",
    )
    api_url: ApiAddress = Field(
        default="https://discord.com/api/v10/", description="base address; proxies and test servers have another"
    )
    gateway_url: GatewayAddress = Field(
        default="wss://gateway.discord.gg/", description="where events come from, likewise"
    )
    cdn_url: ApiAddress = Field(
        default="https://cdn.discordapp.com/", description="where operators' files are fetched from, likewise"
    )
    takeover_after: Seconds = Field(
        default=300,
        ge=0,
        description="the built-in desk takes a session over when Discord has taken nothing of it for so long; 0: never",
    )

    @property
    def enabled(self) -> bool:
        return self.bot_token is not None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.enabled and (self.channel or self.public_key):
            raise wrong("Discord needs a bot token", "set it, or remove the other Discord settings", "bot_token")
        return self


# ------------------------------------------------------------------ who is called, who translates, who watches


class PagerSettings(Section):
    """A pager target, by the name that a ladder's rungs call it by.

    PagerDuty is spoken to both ways. Whatever else Apprise can reach (mail, SMS, LINE, Teams …) is told, and no more.
    """

    kind: Literal["pagerduty", "apprise"] = Field(description="pagerduty both ways; apprise one way")
    routing_key: SecretStr | None = Field(default=None, description="pagerduty: the service's integration key")
    webhook_secret: SecretStr | None = Field(
        default=None,
        description="pagerduty: what its webhook signs with; without it nothing is acknowledged from there",
    )
    api_url: ApiAddress = Field(
        default="https://events.pagerduty.com/", description="pagerduty: its events address; the EU has another"
    )
    url: SecretStr | None = Field(default=None, description="apprise: the target as an Apprise URL")
    language: str = Field(default="en", description="what whoever is paged reads: en, ja, zh-Hans or zh-Hant")
    people: Annotated[dict[str, str], Table] = Field(
        default_factory=dict, description="pagerduty: whose user (its id) is which operator's account"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        wanted, other = ("routing_key", "url") if self.kind == "pagerduty" else ("url", "routing_key")
        if getattr(self, wanted) is None:
            raise wrong(f"{self.kind} needs it", "set it, in the environment or a secret's file", wanted)
        if getattr(self, other) is not None:
            raise wrong(f"{self.kind} has no use for it", "remove it, or choose the other kind", other)
        if self.kind == "apprise" and self.webhook_secret is not None:
            raise wrong("what Apprise tells cannot answer", "remove it", "webhook_secret")
        return self


class TranslationSettings(Section):
    """Machine translation beside the original, by LibreTranslate's API. Off without an address."""

    url: ApiAddress | None = Field(default=None, description="base address of the server; no translation when unset")
    api_key: SecretStr | None = Field(default=None, description="its key, where it asks for one")
    timeout: Seconds = Field(default=8, gt=0, le=60, description="after this one attempt counts as failed")

    @model_validator(mode="after")
    def _check(self) -> Self:
        address = split(self.url or "https://nowhere/")
        if address.scheme != "https" and not is_loopback(address.hostname or ""):
            raise wrong("customers' words would go there in the clear", "use https, or a server on this machine", "url")
        return self

    @property
    def enabled(self) -> bool:
        return self.url is not None


class HealthRung(Section):
    """One step of the operations ladder."""

    pager: str = Field(description="the name of a pager target")
    after: Seconds = Field(default=0, ge=0, description="how long after the step before it")


class HealthSettings(Section):
    """The bridge's own health: who is paged when it fails, and who notices when it cannot even say so."""

    heartbeat_url: SecretStr | None = Field(default=None, description="fetched while all is well: a dead man's switch")
    heartbeat_every: Seconds = Field(default=60, ge=5, description="how often")
    ladder: Annotated[tuple[HealthRung, ...], Several] = Field(
        default=(), description="who is paged, step by step, until somebody acknowledges; every pager when unset"
    )
    repeat_every: Seconds = Field(default=900, ge=60, description="the last step is repeated this often")
    network_down: Seconds = Field(default=60, gt=0, description="a network that is dead so long is a fault")
    lane_late: Seconds = Field(default=120, gt=0, description="a delivery that is due so long is a fault")
    store_down: Seconds = Field(default=20, gt=0, description="a Redis that refuses so long is a fault")


# ------------------------------------------------------------------ what is underneath


class TlsSettings(Section):
    """TLS to Redis: on with an address that begins with rediss://, or with `enabled` where there are Sentinels."""

    enabled: bool = Field(default=False, description="for Sentinels; an address says it itself")
    ca_file: Path | None = Field(default=None, description="certificates to trust; the system's when unset")
    cert_file: Path | None = Field(default=None, description="our certificate, where the server asks for one")
    key_file: Path | None = Field(default=None, description="our certificate's key")
    verify: bool = Field(default=True, description="check the server's certificate and name")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise wrong("a certificate and its key come together", "set both cert_file and key_file", "cert_file")
        for name in ("ca_file", "cert_file", "key_file"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                raise wrong("there is no such file", "give the path of a PEM file", name)
        return self


class RedisSettings(Section):
    """The engine. Without an address Kakehashi runs a private redis-server in its data folder."""

    url: SecretStr | None = Field(default=None, description="redis://, rediss:// or unix:// of your own Redis")
    sentinels: Annotated[tuple[str, ...], Several] = Field(
        default=(), description="host:port of each Sentinel, not with url"
    )
    sentinel_master: str = Field(default="mymaster", description="the name under which the Sentinels know the master")
    sentinel_password: SecretStr | None = Field(default=None, description="of the Sentinels themselves")
    username: str | None = Field(default=None, description="ACL user")
    password: SecretStr | None = Field(default=None, description="its password")
    tls: TlsSettings = Field(default_factory=TlsSettings)
    prefix: str = Field(default="kakehashi", pattern=r"^[A-Za-z0-9_.-]{1,40}$", description="what all keys begin with")
    partitions: int = Field(default=8, ge=1, le=1024, description="fixed at the first start, and stored")
    wait_replicas: int = Field(default=0, ge=0, description="replicas that must have a commit before it counts")
    wait_timeout_ms: Positive = Field(default=1_000, description="how long to wait for them")
    allow_eviction: bool = Field(default=False, description="start even though this Redis may throw our keys away")
    binary: Path | None = Field(default=None, description="the private engine's redis-server; else PATH's, else ours")
    socket_dir: Path | None = Field(default=None, description="where the private engine's socket lives; a short path")

    @property
    def private(self) -> bool:
        return self.url is None and not self.sentinels

    @property
    def sentinel_addresses(self) -> tuple[tuple[str, int], ...]:
        """The Sentinels as (host, port)."""
        split_up = (sentinel.rpartition(":") for sentinel in self.sentinels)
        return tuple((host.strip("[]"), int(port)) for host, _, port in split_up)

    @property
    def encrypted(self) -> bool:
        return self.tls.enabled or (self.url is not None and self.url.get_secret_value().startswith("rediss:"))

    def connection_options(self) -> dict[str, Any]:
        """Who we are and whom we trust, as redis-py's connections take it. Holds secrets: never to be logged."""
        options: dict[str, Any] = {"username": self.username}
        options["password"] = self.password.get_secret_value() if self.password else None
        if self.encrypted:
            options["ssl_ca_certs"] = self.tls.ca_file
            options["ssl_certfile"], options["ssl_keyfile"] = self.tls.cert_file, self.tls.key_file
            options["ssl_cert_reqs"] = "required" if self.tls.verify else "none"
            options["ssl_check_hostname"] = self.tls.verify
        return {
            key: str(value) if isinstance(value, Path) else value for key, value in options.items() if value is not None
        }

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.url is not None:
            self._check_url(self.url.get_secret_value())
        if self.private and self.wait_replicas:
            raise wrong("the private engine has no replicas", "set redis.url, or remove wait_replicas", "wait_replicas")
        for sentinel in self.sentinels:
            host, _, port = sentinel.rpartition(":")
            if not host or not port.isdigit():
                raise wrong("a Sentinel is written host:port", 'such as "10.0.0.5:26379"', "sentinels")
        return self

    def _check_url(self, url: str) -> None:
        if self.sentinels:
            raise wrong("there are an address and Sentinels", "keep one of redis.url and redis.sentinels", "url")
        if split(url).scheme not in ("redis", "rediss", "unix"):
            raise wrong("this is not a Redis address", 'write it as in "redis://127.0.0.1:6379/0"', "url")


class FilesSettings(Section):
    """Attachments: images and PDF, kept in the data folder."""

    max_bytes: Bytes = Field(default=10 * MIB, gt=0, le=100 * MIB, description="the largest file")
    max_pixels: Positive = Field(default=50_000_000, description="the largest image, over all its frames")
    link_ttl: Seconds = Field(default=3600, ge=60, description="life of a link to a file")
    origin: Origin | None = Field(default=None, description="a separate origin that serves files; our own when unset")
    scanner: Annotated[tuple[str, ...], Several] = Field(
        default=(),
        description='a command with ClamAV\'s exit statuses, such as ["clamdscan", "--fdpass"]',
    )
    scanner_timeout: Seconds = Field(default=60, gt=0, description="after this a scan counts as failed")
    workers: int = Field(default=2, ge=1, le=64, description="processes that draw images anew")
    timeout: Seconds = Field(default=30, gt=0, description="for drawing one image")
    reserve: Bytes = Field(default=256 * MIB, ge=0, description="disk left free: a full one ends the engine beside us")


class LogSettings(Section):
    """Where the log goes is standard error, always."""

    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: console at a terminal, else json"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="the least that is written")


class LaneSettings(Section):
    """Deliveries. A fence cannot guard somebody else's API, so these times do (docs/architecture.md)."""

    send_deadline: Seconds = Field(default=10, gt=0, description="for one call to a network, connecting included")
    quarantine: Seconds = Field(
        default=20, gt=0, description="a new lease holder's wait before it touches a stamped effect"
    )
    sweep: Seconds = Field(default=60, gt=0, description="after this a delivery in doubt is looked at once more")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.quarantine <= self.send_deadline:
            raise wrong("the quarantine must outlast a send", "make it longer than lanes.send_deadline", "quarantine")
        return self


class Settings(BaseSettings):
    """All of it. Use `load`, which says what is wrong in our words; this class raises pydantic's."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    config: Path | None = Field(default=None, description="the file that settings and policy are read from")
    policy: Path | None = Field(default=None, description="a file of its own for desks, topics and operators")
    data_dir: Path = Field(default=Path("data"), description="all that is kept: journal, files, secrets (made 0700)")
    site: Name = Field(default="main", max_length=32, description="the site's id; part of every session's")
    public_url: Origin | None = Field(default=None, description="where people reach us, when behind a proxy")
    base_path: WebPath = Field(default="", description="in front of all paths, such as /support")
    trusted_proxies: Annotated[tuple[Network, ...], Several] = Field(
        default=(), description="networks whose X-Forwarded-For is believed"
    )
    web: WebSettings = Field(default_factory=WebSettings)
    desk: DeskSettings = Field(default_factory=DeskSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    slack: SlackSettings = Field(default_factory=SlackSettings)
    discord: DiscordSettings = Field(default_factory=DiscordSettings)
    pagers: dict[Id, PagerSettings] = Field(default_factory=dict, description="pager targets, by name")
    translation: TranslationSettings = Field(default_factory=TranslationSettings)
    health: HealthSettings = Field(default_factory=HealthSettings)
    files: FilesSettings = Field(default_factory=FilesSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    lanes: LaneSettings = Field(default_factory=LaneSettings)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for place, rung in enumerate(self.health.ladder):
            if rung.pager not in self.pagers:
                mend = f"choose from {', '.join(self.pagers)}" if self.pagers else "configure it under pagers"
                raise wrong(f"there is no pager {rung.pager}", mend, f"health.ladder.{place}.pager")
        if self.slack.channel and self.discord.channel:
            mend = "write both desks in the policy, and remove slack.channel and discord.channel"
            raise wrong("there is one desk in Slack and one in Discord", mend, "discord.channel")
        return self

    @property
    def url(self) -> str:
        """Where the service is reached: the public address, else the listener's own. No slash behind."""
        return (self.public_url or listener_url(self.web.host, self.web.port)) + self.base_path

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment with its secret files, then kakehashi.toml."""
        del env_settings, dotenv_settings, file_secret_settings  # ours name what is wrong and where
        return init_settings, Environment(settings_cls), TomlFile(settings_cls, chosen_by(init_settings))


def load(config: Path | None = None, **chosen: Any) -> Settings:
    """The settings from `chosen`, the environment, and a file: `config`, else KAKEHASHI_CONFIG, else ./kakehashi.toml.

    Raises `bridge.errors.SettingsError`; when several things are wrong, a `ManySettingsError` that shows them all.
    """
    if config is not None:
        chosen["config"] = config
    try:
        return Settings(**chosen)
    except ValidationError as error:
        raise settings_errors(error, Settings, lambda path: origin(path, chosen)) from None
