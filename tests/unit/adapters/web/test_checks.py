"""The answer to an identity check: the site's own word, fresh, about our request; and nothing of it is repeated."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from adapters.web.checks import CheckTokens, Outcome
from adapters.web.protocol import ProblemError
from config.settings import WebSettings
from routing.ids import CustomerKey

NOW = 1_900_000_000.0
SECRET, OTHER = "s" * 48, "o" * 48
URL = "https://shop.example/verify"


def tokens(**identity: Any) -> CheckTokens:
    fields = {
        "jwt": {"keys": [{"kid": "login", "secret": OTHER}], "audience": "kakehashi"},
        "identity": {"url": URL, "keys": [{"kid": "check", "secret": SECRET}], **identity},
    }
    return CheckTokens(WebSettings.model_validate(fields), "main")


def token(key: Any = SECRET, algorithm: str = "HS256", **changed: Any) -> str:
    """What the site signs after a check that went well; None leaves a claim out."""
    claims = {
        "sub": "user-1",
        "aud": "kakehashi-identity",
        "exp": int(NOW) + 120,
        "nonce": "n0nce",
        "passed": True,
        "auth_time": int(NOW) - 10,
        "amr": ["otp"],
        **changed,
    }
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm)


def problem(text: str, **identity: Any) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        tokens(**identity).read(text, NOW)
    return caught.value


def test_the_sites_word_names_account_request_and_outcome() -> None:
    assert tokens().read(token(), NOW) == Outcome(CustomerKey("main", "user-1"), "n0nce", True)


def test_a_check_that_failed_has_no_proof_to_show() -> None:
    text = token(passed=False, auth_time=None, amr=None)
    assert tokens().read(text, NOW) == Outcome(CustomerKey("main", "user-1"), "n0nce", False)


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"auth_time": None}, "auth_time", "missing"),
        ({"auth_time": int(NOW) - 700}, "auth_time", "600 s ago"),
        ({"auth_time": int(NOW) + 100}, "auth_time", "future"),
        ({"auth_time": "now"}, "jwt", "not a time"),
        ({"amr": None}, "amr", "at least one"),
        ({"amr": []}, "amr", "at least one"),
        ({"amr": "otp"}, "amr", "at least one"),
        ({"amr": [""]}, "amr", "at least one"),
        ({"passed": None}, "passed", "true or false"),
        ({"passed": "true"}, "passed", "true or false"),
        ({"nonce": None}, "nonce", "missing"),
        ({"nonce": 5}, "nonce", "missing"),
        ({"nonce": "x" * 200}, "nonce", "missing"),
        ({"sub": None}, "jwt", "sub is missing"),
        ({"sub": "~visitor"}, "jwt", "~"),
        ({"aud": "kakehashi"}, "jwt", "another audience"),
        ({"aud": None}, "jwt", "aud is missing"),
        ({"exp": None}, "jwt", "exp is missing"),
        ({"exp": int(NOW) + 10_000}, "jwt", "900 s away"),
        ({"iat": int(NOW) + 100}, "jwt", "not valid yet"),
    ],
)
def test_each_refusal_names_what_is_wrong(changed: dict[str, Any], field: str, says: str) -> None:
    found = problem(token(**changed))
    assert (found.code, found.field) == ("token_refused", field)
    assert says in found.what


def test_a_token_that_has_expired_says_so() -> None:
    assert problem(token(exp=int(NOW) - 60)).code == "expired"


def test_the_means_of_proof_can_be_prescribed() -> None:
    assert tokens(amr=["hwk", "otp"]).read(token(), NOW).passed
    assert problem(token(amr=["pwd"]), amr=["hwk", "otp"]).what == "amr names none of hwk, otp"


@pytest.mark.parametrize(
    "forged",
    [
        token(OTHER),  # the key with which customers log in
        token("x" * 40),
        token(SECRET, "HS384"),
        jwt.encode({"sub": "user-1"}, "", "none"),
        token()[:-3] + "AAA",
        "",
        "a.b.c",
        "\u20ac",
        "a" * 9_000,
    ],
)
def test_nothing_forged_passes(forged: str) -> None:
    assert problem(forged).code == "token_refused"


def test_a_refusal_repeats_nothing_of_the_token() -> None:
    told = [problem(token(sub="~secret-user", nonce="secret-nonce")).what, problem(token(amr=["secret-means", 1])).what]
    assert not any("secret" in one for one in told)


def test_without_keys_of_its_own_the_logins_keys_count_and_a_login_is_still_no_check() -> None:
    assert tokens(keys=[]).read(token(OTHER), NOW).passed
    assert problem(token(OTHER, aud="kakehashi"), keys=[]).what == "the token is for another audience"


def test_a_key_pair_serves_as_well() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    keys = [{"kid": "pair", "algorithm": "EdDSA", "public_key": public.decode()}]
    assert tokens(keys=keys).read(token(private, "EdDSA"), NOW).passed
    assert problem(token(), keys=keys).code == "token_refused"
