import unicodedata
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.files.kinds import JPEG, PDF, PNG, Kind
from adapters.files.names import content_disposition, display_name, plain_name


@pytest.mark.parametrize(
    ("raw", "kind", "shown"),
    [
        ("photo.png", PNG, "photo.png"),
        ("スクリーンショット 2026-11-22.png", PNG, "スクリーンショット 2026-11-22.png"),
        ("photo.jpeg", JPEG, "photo.jpeg"),
        ("PHOTO.JPG", JPEG, "PHOTO.JPG"),
        ("photo", JPEG, "photo.jpg"),
        ("evil.html", PNG, "evil.png"),
        ("invoice.pdf.exe", PDF, "invoice.pdf.pdf"),
        ("report 2.5", PDF, "report 2.5.pdf"),
        ("../../etc/passwd", PNG, "passwd.png"),
        (r"C:\Users\me\secret.png", PNG, "secret.png"),
        ("invoice\u202egnp.exe", PDF, "invoicegnp.pdf"),
        ("a\r\nSet-Cookie: x=1.png", PNG, "a Set-Cookie_ x=1.png"),
        ('he said "hi" <b>.png', PNG, "he said _hi_ _b_.png"),
        ("con.png", PNG, "_con.png"),
        (".htaccess", PNG, "htaccess.png"),
        ("", PNG, "image.png"),
        (".png", PNG, "png.png"),
        ("...", PDF, "document.pdf"),
        ("\ud800.png", PNG, "png.png"),
    ],
)
def test_names_are_safe_and_say_the_real_type(raw: str, kind: Kind, shown: str) -> None:
    assert display_name(raw, kind) == shown


@given(st.text(max_size=400))
@example("あ" * 400 + ".png")
def test_any_name_becomes_one_that_can_be_shown_and_saved(raw: str) -> None:
    shown = display_name(raw, PNG)
    assert len(shown) <= 200
    assert shown.lower().endswith(".png")
    assert not any(unicodedata.category(c)[0] == "C" or c in '/\\<>:"|?*' for c in shown)
    assert shown[0] not in ". "
    assert display_name(shown, PNG) == shown


@given(st.text(max_size=400))
def test_a_header_carries_any_name_whole_and_can_be_broken_by_none(raw: str) -> None:
    name = display_name(raw, PDF)
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    message = Message()
    message["Content-Disposition"] = header
    assert message.get_content_disposition() == "attachment"
    assert unquote(header.rpartition("UTF-8''")[2]) == name


@pytest.mark.parametrize(
    ("name", "plain"),
    [("残高" * 90 + ".pdf", "file.pdf"), ("a.tar.GZ", "file.GZ"), ("secret", "file"), ("a.残高", "file"), ("", "file")],
)
def test_a_plain_name_tells_the_kind_and_nothing_else(name: str, plain: str) -> None:
    assert plain_name(name) == plain
