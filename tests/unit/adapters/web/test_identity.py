"""Who somebody is: nothing forged, foreign, expired or revoked passes, and keys can be replaced."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.identity import VISITOR_SECONDS, Signer, SiteTokens, UploadTokens, VisitorTokens
from adapters.web.protocol import ProblemError
from config.settings import JwtSettings
from routing.ids import CustomerKey

NOW = 1_900_000_000.0
OLD, NEW, NEXT = b"o" * 32, b"n" * 32, b"x" * 32
SECRET = "s" * 40


def site_tokens(*keys: dict[str, str], **changed: Any) -> SiteTokens:
    fields = {"keys": keys or ({"kid": "a", "secret": SECRET},), "audience": "kakehashi", "claims": ("name", "tier")}
    return SiteTokens(JwtSettings.model_validate({**fields, **changed}), "main")


def token(key: Any = SECRET, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **changed: Any) -> str:
    claims = {"sub": "user-1", "aud": "kakehashi", "exp": int(NOW) + 300, **changed}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm, headers=headers)


def refused(tokens: SiteTokens, text: str) -> str:
    with pytest.raises(ProblemError) as caught:
        tokens.read(text, NOW)
    assert caught.value.field == "jwt"
    return caught.value.code


# ---------------------------------------------------------------------------------------------- our own tokens


def test_a_visitor_is_who_their_token_says() -> None:
    tokens = VisitorTokens([NEW], "main")
    text, visitor = tokens.mint(NOW)
    assert tokens.read(text, NOW + 1) == visitor
    assert visitor.customer.anonymous
    assert tokens.mint(NOW)[1].customer != visitor.customer


def test_a_visitor_token_ends() -> None:
    tokens = VisitorTokens([NEW], "main")
    text, visitor = tokens.mint(NOW)
    assert tokens.read(text, NOW + VISITOR_SECONDS - 1) == visitor
    assert tokens.read(text, NOW + VISITOR_SECONDS) is None


def test_a_key_can_be_replaced_and_the_one_before_still_counts() -> None:
    text, visitor = VisitorTokens([OLD], "main").mint(NOW)
    assert VisitorTokens([NEW, OLD], "main").read(text, NOW) == visitor
    assert VisitorTokens([NEXT, NEW], "main").read(text, NOW) is None


def test_a_token_is_good_for_its_own_site_and_purpose_only() -> None:
    text, visitor = VisitorTokens([NEW], "main").mint(NOW)
    assert VisitorTokens([NEW], "other").read(text, NOW) is None
    assert UploadTokens([NEW]).read(text, NOW) is None
    upload = UploadTokens([NEW]).mint(visitor.customer, visitor.id, NOW + 10)
    assert VisitorTokens([NEW], "main").read(upload, NOW) is None


def test_an_upload_token_names_its_customer_until_it_ends() -> None:
    tokens = UploadTokens([NEW])
    customer = CustomerKey("main", "a name/with slash")
    text = tokens.mint(customer, "", NOW + 10)
    assert tokens.read(text, NOW) == (str(customer), "")
    assert tokens.read(text, NOW + 10) is None


@given(st.text(), st.integers(0, 200), st.characters())
def test_nothing_but_what_was_signed_is_believed(claim: str, place: int, letter: str) -> None:
    claim = claim.encode("utf-8", "replace").decode()
    signer = Signer([NEW], "test")
    text = signer.sign(claim)
    if len(text) <= 1_024:
        assert signer.verify(text) == claim
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        assert signer.verify(changed) is None


@given(st.text(max_size=100))
def test_garbage_is_no_token(text: str) -> None:
    assert VisitorTokens([NEW], "main").read(text, NOW) is None
    assert UploadTokens([NEW]).read(text, NOW) is None


def test_short_keys_are_not_taken() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Signer([b"short"], "test")


# ---------------------------------------------------------------------------------------------- the site's tokens


def test_an_account_is_who_the_site_says() -> None:
    account = site_tokens().read(token(name="山田\n太郎 ", tier=3, password="x", locale="ja"), NOW)
    assert account.customer == CustomerKey("main", "user-1")
    assert (account.name, account.locale, account.expires) == ("山田 太郎", "ja", int(NOW) + 300)
    assert account.claims == {"tier": "3"}  # only what is on the list


def test_a_name_is_kept_only_when_it_is_on_the_list() -> None:
    assert site_tokens(claims=()).read(token(name="Yamada"), NOW).name == ""


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"exp": int(NOW) - 31}, "expired"),
        ({"exp": None}, "token_refused"),
        ({"exp": "soon"}, "token_refused"),
        ({"exp": 1e300}, "token_refused"),
        ({"exp": int(NOW) + 100_000}, "token_refused"),
        ({"aud": None}, "token_refused"),
        ({"aud": "another"}, "token_refused"),
        ({"sub": None}, "token_refused"),
        ({"sub": ""}, "token_refused"),
        ({"sub": "~visitor"}, "token_refused"),
        ({"sub": "a b"}, "token_refused"),
        ({"sub": "a\nb"}, "token_refused"),
        ({"sub": "あ" * 43}, "token_refused"),
        ({"name": ["x"]}, "token_refused"),
        ({"nbf": int(NOW) + 60}, "token_refused"),
        ({"iat": int(NOW) + 60}, "token_refused"),
    ],
)
def test_claims_that_do_not_hold_are_refused(changed: dict[str, Any], code: str) -> None:
    assert refused(site_tokens(), token(**changed)) == code


def test_a_clock_that_is_a_little_off_is_forgiven() -> None:
    assert site_tokens().read(token(exp=int(NOW) - 29, iat=int(NOW) + 29), NOW).customer.account == "user-1"


def test_only_the_listed_algorithm_of_a_key_counts() -> None:
    tokens = site_tokens({"kid": "a", "secret": "s" * 48})
    assert refused(tokens, token("x" * 40)) == "token_refused"
    assert refused(tokens, token("s" * 48, "HS384")) == "token_refused"
    assert refused(tokens, token("", "none")) == "token_refused"


def pem(key: Any) -> str:
    public = key.public_key()
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    text: bytes = public.public_bytes(serialization.Encoding.PEM, kind)
    return text.decode()


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", rsa.generate_private_key(65537, 2048)),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    ],
)
def test_public_keys_verify_and_are_no_secrets(algorithm: str, key: Any) -> None:
    public = pem(key)
    tokens = site_tokens({"kid": "a", "algorithm": algorithm, "public_key": public})
    assert tokens.read(token(key, algorithm), NOW).customer.account == "user-1"
    # The classic: the public key, which everybody has, taken for a shared secret.
    text = token("s" * 40)
    head, claims, _ = text.split(".")
    forged = jwt.utils.base64url_encode(
        jwt.get_algorithm_by_name("HS256").sign(f"{head}.{claims}".encode(), public.encode())
    )
    assert refused(tokens, f"{head}.{claims}.{forged.decode()}") == "token_refused"


def test_two_keys_are_alive_found_by_kid_or_tried_in_turn() -> None:
    tokens = site_tokens({"kid": "old", "secret": "o" * 40}, {"kid": "new", "secret": "n" * 40})
    for secret in ("o" * 40, "n" * 40):
        assert tokens.read(token(secret), NOW).customer.account == "user-1"
    assert tokens.read(token("n" * 40, headers={"kid": "new"}), NOW).customer.account == "user-1"
    assert refused(tokens, token("n" * 40, headers={"kid": "old"})) == "token_refused"
    assert refused(tokens, token("n" * 40, headers={"kid": "who"})) == "token_refused"


def test_without_keys_nobody_logs_in() -> None:
    assert refused(site_tokens(keys=(), audience=""), token()) == "token_refused"


@given(st.text(max_size=200) | st.just("é.é.é") | st.just("." * 2) | st.binary(max_size=60).map(bytes.hex))
def test_garbage_is_refused(text: str) -> None:
    assert refused(site_tokens(), text) == "token_refused"
