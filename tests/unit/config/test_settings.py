"""Where settings come from, which one wins, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from bridge.errors import SettingsError
from config.settings import Settings, SlackSettings, WebSettings, load
from config.sources import ManySettingsError, known_paths, section_of, variable

EVERYWHERE = "0.0.0.0"  # noqa: S104 - only shown
SECRET = "hunter2-do-not-show-me-anywhere-at-all"


def complaint(config: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(config)
    return str(caught.value)


def written(tmp_path: Path, text: str, name: str = "kakehashi.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


# ------------------------------------------------------------------ defaults


def test_everything_has_a_default_that_works() -> None:
    settings = load()
    assert settings.url == "http://127.0.0.1:8787"
    assert settings.redis.private
    assert not settings.slack.enabled
    assert settings.config is None


def test_every_setting_says_what_it_is() -> None:
    silent = [path for path, field in known_paths(Settings) if section_of(field) is None and not field.description]
    assert silent == []


def test_sections_can_be_made_on_their_own() -> None:
    assert WebSettings(port=0).host == "127.0.0.1"


# ------------------------------------------------------------------ sources and their order


def test_environment_wins_over_file_and_argument_over_both(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = written(tmp_path, "[web]\nport = 1\nhost = '::1'\n", "other.toml")
    assert load(file).web.port == 1
    monkeypatch.setenv("KAKEHASHI_WEB__PORT", "2")
    assert load(file).web.port == 2
    settings = load(file, web={"port": 3})
    assert (settings.web.port, settings.web.host) == (3, "::1")


def test_the_file_in_the_working_folder_is_found(tmp_path: Path) -> None:
    written(tmp_path, "site = 'here'\n")
    settings = load()
    assert settings.site == "here"
    assert settings.config == Path("kakehashi.toml")


def test_the_file_may_be_named_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written(tmp_path, "site = 'here'\n")
    other = written(tmp_path, "site = 'there'\n", "other.toml")
    monkeypatch.setenv("KAKEHASHI_CONFIG", str(other))
    assert load().site == "there"


def test_a_named_file_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "where: --config" in complaint(Path("nowhere.toml"))
    monkeypatch.setenv("KAKEHASHI_CONFIG", "nowhere.toml")
    assert "where: KAKEHASHI_CONFIG" in complaint()


def test_a_file_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    file = written(tmp_path, "site = 'here'\nweb = [\n")
    said = complaint(file)
    assert str(file) in said
    assert "not valid TOML" in said


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAKEHASHI_SLACK__BOT_TOKEN", "")
    assert not load().slack.enabled


def test_lists_and_tables_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAKEHASHI_WEB__ORIGINS", "https://a.example, https://b.example:443/")
    monkeypatch.setenv("KAKEHASHI_TRUSTED_PROXIES", "10.0.0.0/8,::1/128")
    monkeypatch.setenv("KAKEHASHI_WEB__EMERGENCY", '[{"url": "https://a.example/x", "titles": {"en": "Freeze"}}]')
    settings = load()
    assert settings.web.origins == ("https://a.example", "https://b.example")
    assert [str(one) for one in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.web.emergency[0].titles == {"en": "Freeze"}


def test_times_and_sizes_may_have_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAKEHASHI_FILES__MAX_BYTES", "2 MiB")
    monkeypatch.setenv("KAKEHASHI_DESK__SESSION_LIFETIME", "8h")
    settings = load()
    assert settings.files.max_bytes == 2 * 1024 * 1024
    assert settings.desk.session_lifetime == 8 * 3600


# ------------------------------------------------------------------ secrets


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAKEHASHI_REDIS__PASSWORD_FILE", str(written(tmp_path, f"{SECRET}\n", "password")))
    password = load().redis.password
    assert password is not None
    assert password.get_secret_value() == SECRET


def test_token_keys_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys = written(tmp_path, f'[{{"kid": "k", "secret": "{SECRET}"}}]', "keys")
    monkeypatch.setenv("KAKEHASHI_WEB__JWT__KEYS_FILE", str(keys))
    monkeypatch.setenv("KAKEHASHI_WEB__JWT__AUDIENCE", "kakehashi")
    assert load().web.jwt.keys[0].material == SECRET


def test_what_is_no_secret_has_no_file_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAKEHASHI_SITE_FILE", str(written(tmp_path, "main", "site")))
    assert "there is no setting site_file" in complaint()


def test_a_secret_file_that_cannot_be_read_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAKEHASHI_REDIS__PASSWORD_FILE", "/nowhere/at/all")
    monkeypatch.setenv("KAKEHASHI_SLACK__BOT_TOKEN_FILE", "/nowhere/at/all")
    said = complaint()
    assert "where: KAKEHASHI_REDIS__PASSWORD_FILE" in said
    assert "where: KAKEHASHI_SLACK__BOT_TOKEN_FILE" in said


def test_a_secret_given_twice_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAKEHASHI_REDIS__PASSWORD", SECRET)
    monkeypatch.setenv("KAKEHASHI_REDIS__PASSWORD_FILE", str(written(tmp_path, SECRET, "password")))
    assert "KAKEHASHI_REDIS__PASSWORD is set too" in complaint()


def test_no_secret_is_ever_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAKEHASHI_SLACK__BOT_TOKEN", SECRET)
    monkeypatch.setenv("KAKEHASHI_SLACK__APP_TOKEN", SECRET)
    assert SECRET not in repr(load())
    assert SECRET not in load().model_dump_json()
    monkeypatch.setenv("KAKEHASHI_SLACK__HANDLERS", "many")
    monkeypatch.setenv("KAKEHASHI_REDIS__URL", f"mysql://me:{SECRET}@[host/0")
    monkeypatch.setenv("KAKEHASHI_WEB__JWT__KEYS", f'[{{"kid": "k", "algorithm": "RS256", "public_key": "{SECRET}"}}]')
    monkeypatch.setenv("KAKEHASHI_SLACK__TOKN", SECRET)
    said = complaint()
    assert SECRET not in said
    assert said.count("mend:") == 4


# ------------------------------------------------------------------ what is said of a wrong one


def test_all_errors_are_shown_at_once_each_with_key_and_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = written(tmp_path, "[log]\nformat = 'xml'\n[lanes]\nquarantine = 5\n[web]\nhosst = 'x'\n")
    monkeypatch.setenv("KAKEHASHI_WEB__PORT", "eighty")
    with pytest.raises(ManySettingsError) as caught:
        load(file)
    places = {error.where for error in caught.value.errors}
    assert places == {
        "KAKEHASHI_WEB__PORT",
        f"{file}: log.format",
        f"{file}: lanes.quarantine",
        f"{file}: web.hosst",
    }
    assert all(error.mend for error in caught.value.errors)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("KAKEHASHI_WEB__ORIGNS", "web.origins"),
        ("KAKEHASHI_SLAK__BOT_TOKEN", "slack"),
        ("KAKEHASHI_DATADIR", "data_dir"),
        ("KAKEHASHI_BOT_TOKEN", "slack.bot_token"),
    ],
)
def test_an_unknown_key_gets_the_nearest_one(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    monkeypatch.setenv(name, "x")
    said = complaint()
    assert f"where: {name}" in said
    assert f"perhaps you mean {meant}" in said


def test_the_policy_has_no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAKEHASHI_DESKS__JA__CHANNEL", "C0123ABCD")
    assert "set them in kakehashi.toml" in complaint()


def test_a_file_cannot_name_itself(tmp_path: Path) -> None:
    assert "remove this line" in complaint(written(tmp_path, "config = 'x.toml'\n"))


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("KAKEHASHI_SLACK__API_URL", "https://slack.com/api?a=1", "leave out what follows the path"),
        ("KAKEHASHI_WEB__ORIGINS", "https://a.example/shop", 'write "https://a.example"'),
        ("KAKEHASHI_WEB__ORIGINS", "*", "write scheme and host"),
        ("KAKEHASHI_WEB__ORIGINS", "https://a:port", "write it whole"),
        ("KAKEHASHI_BASE_PATH", "/a b", "/support"),
        ("KAKEHASHI_WEB__BRAND__COLOUR", "red", "#1f5fbf"),
        ("KAKEHASHI_TRUSTED_PROXIES", "10.0.0.1/8", "10.0.0.0/8"),
        ("KAKEHASHI_SITE", "a/b", "main"),
        ("KAKEHASHI_FILES__MAX_BYTES", "10 MoB", "MiB"),
        ("KAKEHASHI_FILES__MAX_BYTES", "ten", "10 MiB"),
        ("KAKEHASHI_DESK__IDLE_LIFETIME", "2 weeks", "use ms, s, m, h or d"),
        ("KAKEHASHI_WEB__LIMITS__BEAT", "45s", "smaller"),
        ("KAKEHASHI_WEB__DEMO", "perhaps", "true or false"),
        ("KAKEHASHI_WEB__EMERGENCY", "[{", "JSON"),
        ("KAKEHASHI_REDIS__SENTINELS", "nohost", "host:port"),
        ("KAKEHASHI_REDIS__URL", "http://x", "redis://"),
        ("KAKEHASHI_REDIS__WAIT_REPLICAS", "1", "redis.url"),
        ("KAKEHASHI_METRICS__HOST", "127.0.0.1", "port"),
        ("KAKEHASHI_REDIS__TLS__CA_FILE", "/nowhere", "PEM"),
    ],
)
def test_a_wrong_value_gets_its_mend(monkeypatch: pytest.MonkeyPatch, name: str, value: str, mend: str) -> None:
    monkeypatch.setenv(name, value)
    said = complaint()
    assert mend in said
    assert name.rsplit("__", 1)[0] in said


def test_a_base_address_may_leave_its_slash_out() -> None:
    made = load(discord={"api_url": "http://127.0.0.1:8/api/v10", "gateway_url": "ws://127.0.0.1:8"})
    assert made.discord.api_url == "http://127.0.0.1:8/api/v10/"
    assert made.discord.gateway_url == "ws://127.0.0.1:8/"


# ------------------------------------------------------------------ sections that check themselves


def test_discord_is_off_until_there_is_a_bot_token() -> None:
    assert not load().discord.enabled
    assert load(discord={"bot_token": "made.up.token"}).discord.enabled


@pytest.mark.parametrize(
    ("written", "mend"),
    [
        ({"channel": "1290000000000000001"}, "discord.bot_token"),
        ({"bot_token": "t", "gateway_url": "https://gateway.discord.gg/"}, "wss://gateway.discord.gg/"),
        ({"bot_token": "t", "channel": "support"}, "discord.channel"),
    ],
)
def test_half_a_discord_is_told_from_a_whole_one(written: dict[str, str], mend: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(discord=written)
    assert mend in str(caught.value)


def test_slack_is_on_with_a_bot_token_and_a_way_in() -> None:
    assert load(slack={"bot_token": "xoxb-1", "app_token": "xapp-1"}).slack.events == "socket"
    assert load(slack={"bot_token": "xoxb-1", "signing_secret": "s"}).slack.events == "http"


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"app_token": "xapp-1"}, "slack.bot_token"),
        ({"bot_token": "xoxb-1"}, "slack.app_token"),
        ({"bot_token": "xoxb-1", "signing_secret": "s", "mode": "socket"}, "slack.app_token"),
        ({"bot_token": "xoxb-1", "app_token": "xapp-1", "mode": "http"}, "slack.signing_secret"),
    ],
)
def test_slack_names_the_token_that_is_missing(given: dict[str, str], key: str) -> None:
    with pytest.raises(SettingsError, match=key):
        load(slack=given)


def public_key() -> str:
    made = Ed25519PrivateKey.generate().public_key()
    return made.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_customers_tokens_take_shared_secrets_and_public_keys() -> None:
    keys = [
        {"kid": "old", "secret": SECRET},
        {"kid": "new", "algorithm": "EdDSA", "public_key": public_key()},
    ]
    jwt = load(web={"jwt": {"audience": "kakehashi", "keys": keys}}).web.jwt
    assert jwt.enabled
    assert [key.kid for key in jwt.keys] == ["old", "new"]


@pytest.mark.parametrize(
    ("jwt", "key"),
    [
        ({"keys": [{"kid": "a", "secret": SECRET}]}, "web.jwt.audience"),
        ({"audience": "x", "keys": [{"kid": "a", "secret": "short"}]}, "web.jwt.keys.0.secret"),
        ({"audience": "x", "keys": [{"kid": "a"}]}, "web.jwt.keys.0.secret"),
        ({"audience": "x", "keys": [{"kid": "a", "algorithm": "none", "secret": SECRET}]}, "web.jwt.keys.0.algorithm"),
        ({"audience": "x", "keys": [{"kid": "a", "algorithm": "ES256"}]}, "web.jwt.keys.0.public_key"),
        ({"audience": "x", "keys": [{"kid": "a", "secret": SECRET}] * 2}, "web.jwt.keys"),
    ],
)
def test_customers_tokens_take_nothing_weak(jwt: dict[str, object], key: str) -> None:
    with pytest.raises(SettingsError, match=key):
        load(web={"jwt": jwt})


def test_redis_options_follow_the_address(tmp_path: Path) -> None:
    plain = load(redis={"url": "redis://h/0", "username": "u", "password": "p"}).redis
    assert plain.connection_options() == {"username": "u", "password": "p"}
    ca = written(tmp_path, "pem", "ca.pem")
    safe = load(redis={"url": "rediss://h/0", "tls": {"ca_file": ca}}).redis
    assert safe.connection_options()["ssl_ca_certs"] == str(ca)
    assert safe.connection_options()["ssl_cert_reqs"] == "required"


def test_sentinels_are_addresses() -> None:
    redis = load(redis={"sentinels": ["10.0.0.5:26379", "[::1]:26379"]}).redis
    assert redis.sentinel_addresses == (("10.0.0.5", 26379), ("::1", 26379))
    assert not redis.private


def test_the_url_is_what_people_open() -> None:
    assert load(web={"host": EVERYWHERE, "port": 80}).url == "http://127.0.0.1"
    assert load(web={"host": "::1"}, base_path="chat/").url == "http://[::1]:8787/chat"
    assert load(public_url="https://s.example/", base_path="/x").url == "https://s.example/x"


def test_variables_are_named_after_their_keys() -> None:
    assert variable(("slack", "bot_token")) == "KAKEHASHI_SLACK__BOT_TOKEN"


def test_rates_can_be_set_above_the_published_ones() -> None:
    slack = SlackSettings.model_validate({"rates": {"posts_per_second": 1000, "burst": 1000, "tier_multiplier": 1000}})
    assert slack.rates.posts_per_second == 1000


# ------------------------------------------------------------------ pagers, translation, health, identity


def test_a_pager_may_stand_in_the_environment_and_its_key_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("R123\n")
    monkeypatch.setenv("KAKEHASHI_PAGERS__OPS__KIND", "pagerduty")
    monkeypatch.setenv("KAKEHASHI_PAGERS__OPS__ROUTING_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("KAKEHASHI_PAGERS__LINE__KIND", "apprise")
    monkeypatch.setenv("KAKEHASHI_PAGERS__LINE__URL", "line://token")
    pagers = load().pagers
    assert {name: pager.kind for name, pager in pagers.items()} == {"ops": "pagerduty", "line": "apprise"}
    assert pagers["ops"].routing_key is not None
    assert pagers["ops"].routing_key.get_secret_value() == "R123"
    assert "R123" not in repr(pagers)
    assert "token" not in repr(pagers)


def test_what_of_a_pager_is_no_secret_has_no_file_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAKEHASHI_PAGERS__OPS__KIND_FILE", "/nowhere")
    with pytest.raises(SettingsError) as caught:
        load()
    assert "there is no setting pagers.ops.kind_file" in str(caught.value)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"translation": {"url": "http://translate.example/"}}, "translation.url: customers' words would go there in"),
        ({"pagers": {"ops": {"kind": "pagerduty"}}}, "pagers.ops.routing_key: pagerduty needs it"),
        ({"pagers": {"ops": {"kind": "apprise", "routing_key": "k"}}}, "pagers.ops.url: apprise needs it"),
        (
            {"pagers": {"ops": {"kind": "apprise", "url": "a://", "routing_key": "k"}}},
            "pagers.ops.routing_key: apprise has no use for it",
        ),
        (
            {"pagers": {"ops": {"kind": "apprise", "url": "a://", "webhook_secret": "k"}}},
            "pagers.ops.webhook_secret: what Apprise tells cannot answer",
        ),
        ({"pagers": {"Ops": {"kind": "apprise", "url": "a://"}}}, "pagers.Ops: "),
        ({"pagers": {"ops": {"kind": "apprize", "url": "a://"}}}, "choose one of pagerduty, apprise"),
        ({"health": {"ladder": [{"pager": "ops"}]}}, "health.ladder.0.pager: there is no pager ops"),
        ({"web": {"identity": {"url": "https://a.example/check"}}}, "web.identity.keys: the outcome"),
        ({"translation": {"url": "http://127.0.0.1:5000/?q=1"}}, "translation.url: this is no base address"),
    ],
)
def test_who_is_called_and_asked_is_checked(chosen: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(**chosen)
    assert said in str(caught.value)


def test_without_them_nothing_is_paged_translated_or_checked() -> None:
    made = load()
    assert (made.pagers, made.health.ladder) == ({}, ())
    assert not made.translation.enabled
    assert not made.web.identity.enabled


def test_the_sites_keys_also_sign_the_outcome_of_an_identity_check() -> None:
    web = {
        "jwt": {"audience": "a", "keys": [{"kid": "1", "secret": "s" * 32}]},
        "identity": {"url": "https://a.example/check"},
    }
    assert load(web=web).web.identity.enabled


@pytest.mark.parametrize(
    "link",
    [
        "http://admin.example.com/{account_id}",
        "https://{account_id}.example.com/",
        "https://admin.example.com/{iban}",
        "https://admin.example.com/<{account_id}>",
        "admin/{account_id}",
    ],
)
def test_a_link_to_the_admin_that_could_lead_elsewhere_is_refused(link: str) -> None:
    with pytest.raises(ValidationError):
        WebSettings.model_validate({"admin_link": link})
    assert WebSettings.model_validate({"admin_link": "https://a.example.com/u/{account_id}?n={name}"}).admin_link
