import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.links import LinkSigner
from bridge.files import StoredFile

OLD, NEW, FOREIGN = b"o" * 32, b"n" * 32, b"f" * 32
NOW = 1_795_000_000.0
SIGNER = LinkSigner(NEW, ttl=3600)
FILE_ID = "0123456789abcdef0123456789abcdef"


@given(st.text("0123456789abcdef", min_size=1, max_size=64), st.text(st.characters(codec="utf-8"), max_size=80))
def test_a_link_says_which_file_and_for_whom(file_id: str, reader: str) -> None:
    link = SIGNER.verify(SIGNER.link(file_id, reader, NOW), NOW)
    assert link is not None
    assert (link.file_id, link.reader) == (file_id, reader)


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_byte_anywhere_spoils_the_link(place: int, change: int) -> None:
    token = bytearray(SIGNER.link(FILE_ID, "customer:site/abc", NOW).encode())
    place %= len(token)
    token[place] ^= change
    assert SIGNER.verify(token.decode("latin-1"), NOW) is None


@pytest.mark.parametrize("token", ["", "a", "====", "é" * 40, "A" * 43, "A" * 2000, "..", "\0", "A B C D" * 20])
def test_what_is_no_token_is_no_link(token: str) -> None:
    assert SIGNER.verify(token, NOW) is None


def test_a_cut_or_padded_link_is_none() -> None:
    token = SIGNER.link(FILE_ID, "r", NOW)
    assert SIGNER.verify(token[:-1], NOW) is None
    assert SIGNER.verify(token + "=", NOW) is None
    assert SIGNER.verify(token + "A", NOW) is None


@given(st.floats(0, 4e9))
def test_a_link_lives_for_three_quarters_of_its_time_at_least_and_never_longer(now: float) -> None:
    token = SIGNER.link(FILE_ID, "r", now)
    assert SIGNER.verify(token, now + 2699) is not None
    assert SIGNER.verify(token, now + 3600) is None


def test_the_same_link_is_made_within_a_quarter_so_that_browsers_keep_the_picture() -> None:
    quarter = NOW // 900 * 900
    assert SIGNER.link(FILE_ID, "r", quarter) == SIGNER.link(FILE_ID, "r", quarter + 899)
    assert SIGNER.link(FILE_ID, "r", quarter) != SIGNER.link(FILE_ID, "r", quarter + 900)


def test_links_of_the_secret_before_the_rotation_are_honoured_and_older_ones_are_not() -> None:
    before, rotated = LinkSigner(OLD, 3600), LinkSigner(NEW, 3600, previous=OLD)
    old_link = before.link(FILE_ID, "r", NOW)
    assert rotated.verify(old_link, NOW) is not None
    assert rotated.link(FILE_ID, "r", NOW) != old_link
    assert LinkSigner(FOREIGN, 3600, previous=NEW).verify(old_link, NOW) is None


def test_a_file_and_its_reader_cannot_trade_characters() -> None:
    assert SIGNER.link("ab", "c", NOW) != SIGNER.link("a", "bc", NOW)


def test_weak_secrets_and_links_without_life_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        LinkSigner(b"short", 3600)
    with pytest.raises(ValueError, match="at least 32 bytes"):
        LinkSigner(NEW, 3600, previous=b"")
    with pytest.raises(ValueError, match="60 seconds"):
        LinkSigner(NEW, 59)


def test_a_reader_too_long_for_a_link_is_refused_where_it_is_made() -> None:
    with pytest.raises(ValueError, match="too long"):
        SIGNER.link(FILE_ID, "r" * 1000, NOW)


def test_the_path_ends_in_the_display_name() -> None:
    file = StoredFile(FILE_ID, "o", "画 像/?.png", "image/png", 1, 1, 1, "0" * 64, NOW)
    token, name = SIGNER.path(file, "r", NOW).split("/")
    assert token == SIGNER.link(FILE_ID, "r", NOW)
    assert name == "%E7%94%BB%20%E5%83%8F%2F%3F.png"
