"""What is kept of an image, format by format. The program runs in this process here, unbounded."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms, PngImagePlugin

from adapters.files import images
from adapters.files.images import ImageRefusedError, Order
from tests.unit.adapters.files import samples

FORMS = ["PNG", "JPEG", "WEBP"]


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(
        source=str(tmp_path / "source"),
        target=str(tmp_path / "target"),
        form="PNG",
        pixels=1_000_000,
        frames=20,
        output_bytes=10**7,
        memory_bytes=10**9,
        cpu_seconds=30,
    )


def cleaned(order: Order, content: bytes, form: str) -> bytes:
    Path(order.source).write_bytes(content)
    Path(order.target).unlink(missing_ok=True)
    size = images.redraw(replace(order, form=form))
    kept = Path(order.target).read_bytes()
    with Image.open(io.BytesIO(kept)) as image:
        assert (image.format, image.size) == (form, size)
    return kept


@pytest.mark.parametrize("form", FORMS)
def test_camera_and_place_are_gone(order: Order, form: str) -> None:
    sent = samples.photograph(form, xmp=b"<x:xmpmeta>SECRETXMP</x:xmpmeta>")
    assert b"SECRETCAMERA" in sent
    assert b"SECRETDATE" in sent
    kept = cleaned(order, sent, form)
    for secret in (b"SECRET", b"Exif", b"EXIF", b"ICC", b"iCCP", b"xmp", b"XMP"):
        assert secret not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert dict(image.getexif()) == {}


def test_comments_and_texts_are_gone(order: Order) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "SECRETNAME")
    notes.add_text("Comment", "SECRETNAME", zip=True)
    assert b"SECRET" not in cleaned(order, samples.encoded(samples.picture(), "PNG", pnginfo=notes), "PNG")
    assert b"SECRET" not in cleaned(order, samples.encoded(samples.picture(), "JPEG", comment=b"SECRET"), "JPEG")
    assert b"SECRET" not in cleaned(order, samples.encoded(samples.picture(), "GIF", comment=b"SECRET"), "GIF")
    assert b"SECRET" not in cleaned(order, samples.animation("GIF", comment=b"SECRET"), "GIF")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_keep_the_right_way_up(order: Order, form: str, orientation: int) -> None:
    lossless = {"lossless": True} if form == "WEBP" else {}
    kept = cleaned(order, samples.photograph(form, orientation, **lossless), form)
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    shown = samples.picture() if orientation == 1 else samples.picture().transpose(turn[orientation])
    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == shown.size
        assert mean_difference(image.convert("RGB"), shown) < (12 if form == "JPEG" else 1)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_keeps_every_pixel(order: Order, mode: str) -> None:
    base = samples.picture()
    image = base.convert("L").convert("I;16") if mode == "I;16" else base.convert(mode)
    kept = cleaned(order, samples.encoded(image, "PNG"), "PNG")
    with Image.open(io.BytesIO(kept)) as again:
        assert again.mode == mode
        assert again.tobytes() == image.tobytes()
        assert again.getpalette() == image.getpalette()


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_a_palette_with_a_clear_colour_keeps_it(order: Order, form: str) -> None:
    sent = samples.encoded(samples.picture().quantize(16), form, transparency=3)
    kept = cleaned(order, sent, form)
    assert samples.pixels_of(kept) == samples.pixels_of(sent)
    assert b"\0" in samples.pixels_of(kept)[3::4]


def test_a_lossless_webp_keeps_every_pixel_under_its_clear_parts_too(order: Order) -> None:
    image = samples.picture().convert("RGBA")
    image.putalpha(samples.picture().convert("L"))
    sent = samples.encoded(image, "WEBP", lossless=True, exact=True)
    assert samples.pixels_of(cleaned(order, sent, "WEBP")) == image.tobytes()


def test_a_jpeg_gets_neither_much_worse_nor_much_larger(order: Order) -> None:
    for quality in (30, 75, 95):
        sent = samples.encoded(samples.picture(400, 300), "JPEG", quality=quality)
        kept = cleaned(order, sent, "JPEG")
        assert len(kept) < len(sent) * 1.1
        with Image.open(io.BytesIO(sent)) as before, Image.open(io.BytesIO(kept)) as after:
            assert mean_difference(before, after) < 3


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_a_jpeg_for_print_is_kept_as_one_for_screens(order: Order, mode: str) -> None:
    kept = cleaned(order, samples.encoded(samples.picture().convert(mode), "JPEG", quality=95), "JPEG")
    with Image.open(io.BytesIO(kept)) as image:
        assert image.mode == ("L" if mode == "L" else "RGB")


def test_colours_of_another_profile_are_turned_to_srgb(order: Order) -> None:
    # "LAB"-connected profile with another white point: any visible change proves that it was applied
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    swapped = bytearray(profile.tobytes())
    red, green = swapped.index(b"rXYZ"), swapped.index(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    sent = samples.encoded(Image.new("RGB", (8, 8), (255, 0, 0)), "PNG", icc_profile=bytes(swapped))
    red_part, green_part, _ = samples.pixels_of(cleaned(order, sent, "PNG"))[:3]
    assert green_part > red_part


def test_a_broken_profile_or_orientation_does_not_cost_the_picture(order: Order) -> None:
    sent = samples.encoded(samples.picture(), "PNG", icc_profile=b"no profile at all", exif=b"Exif\0\0MM\0*broken")
    assert samples.pixels_of(cleaned(order, sent, "PNG")) == samples.picture().convert("RGBA").tobytes()


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_an_animation_keeps_its_frames_their_time_and_its_rounds(order: Order, form: str) -> None:
    sent = samples.animation(form, **({"lossless": True} if form == "WEBP" else {}))
    kept = cleaned(order, sent, form)
    assert samples.frames_of(kept) == samples.frames_of(sent)
    assert timing(kept) == timing(sent) == ([40, 50, 60, 70, 80], 3)


def test_a_lossy_animated_webp_stays_close_to_what_was_sent(order: Order) -> None:
    sent = samples.animation("WEBP")
    kept = cleaned(order, sent, "WEBP")
    for before, after in zip(samples.frames_of(sent), samples.frames_of(kept), strict=True):
        size = samples.picture().size
        assert mean_difference(Image.frombytes("RGBA", size, before), Image.frombytes("RGBA", size, after)) < 8


def test_a_gif_whose_frames_leave_parts_clear_shows_the_same(order: Order) -> None:
    frames = []
    for step in range(4):
        frame = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
        frame.paste((255, 40 * step, 0, 255), (step * 8, 5, step * 8 + 10, 15))
        frames.append(frame)
    sent = samples.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50, disposal=2)
    kept = cleaned(order, sent, "GIF")
    assert visible(samples.frames_of(kept)) == visible(samples.frames_of(sent))


def test_an_animated_png_and_a_jpeg_with_more_pictures_keep_their_first(order: Order) -> None:
    other = Image.new("RGB", (48, 32), (1, 2, 3))
    sent = samples.encoded(samples.picture(), "PNG", save_all=True, append_images=[other])
    kept = cleaned(order, sent, "PNG")
    assert samples.frames_of(kept) == [samples.picture().convert("RGBA").tobytes()]
    doubled = samples.encoded(samples.picture(), "MPO", save_all=True, append_images=[other])
    kept = cleaned(order, doubled, "JPEG")
    assert kept.count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize("tail", [b"<html><script>alert(1)</script>", b"PK\x03\x04SECRET" + b"\0" * 40])
@pytest.mark.parametrize("form", [*FORMS, "GIF"])
def test_what_hides_behind_a_picture_is_gone(order: Order, form: str, tail: bytes) -> None:
    kept = cleaned(order, samples.encoded(samples.picture(), form) + tail, form)
    assert tail[:8] not in kept


@pytest.mark.parametrize("form", [*FORMS, "GIF"])
def test_a_picture_that_was_cut_off_is_damaged(order: Order, form: str) -> None:
    sent = samples.encoded(samples.picture(200, 200), form)
    Path(order.source).write_bytes(sent[: len(sent) // 2])
    assert images.answer(replace(order, form=form)) == {"refused": "damaged"}


@pytest.mark.parametrize("form", [*FORMS, "GIF"])
def test_noise_behind_a_signature_is_damaged(order: Order, form: str) -> None:
    sent = samples.encoded(samples.picture(), form)
    Path(order.source).write_bytes(sent[:12] + b"\xa5" * 500)
    assert images.answer(replace(order, form=form)) == {"refused": "damaged"}


def test_a_picture_named_as_another_type_is_damaged(order: Order) -> None:
    Path(order.source).write_bytes(samples.png())
    assert images.answer(replace(order, form="JPEG")) == {"refused": "damaged"}


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("PNG", samples.huge_png()),
        ("WEBP", samples.huge_webp()),
        ("GIF", b"GIF89a" + b"\xff\xff\xff\xff" + b"\0\0\0" + b",\0\0\0\0\xff\xff\xff\xff\0\2\0;"),
        ("PNG", samples.encoded(Image.new("L", (1001, 1000)), "PNG")),
        ("JPEG", samples.encoded(Image.new("L", (1001, 1000)), "JPEG")),
        ("WEBP", samples.encoded(Image.new("L", (1001, 1000)), "WEBP")),
        ("GIF", samples.encoded(Image.new("L", (1001, 1000)), "GIF")),
    ],
)
def test_too_many_pixels_are_refused_before_they_are_decoded(
    order: Order, form: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    Path(order.source).write_bytes(content)
    monkeypatch.setattr(Image.Image, "load", decoded)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    assert images.answer(replace(order, form=form)) == {"refused": "too_many_pixels"}


def test_the_square_of_twelve_thousand_is_really_small_on_the_wire() -> None:
    assert len(samples.huge_png()) < 20_000


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_frames_are_counted_and_their_pixels_added_up(order: Order, form: str) -> None:
    Path(order.source).write_bytes(samples.animation(form, frames=6))
    order = replace(order, form=form)
    with pytest.raises(ImageRefusedError, match="too_many_pixels"):
        images.redraw(replace(order, frames=5))
    with pytest.raises(ImageRefusedError, match="too_many_pixels"):
        images.redraw(replace(order, pixels=6 * 48 * 32 - 1))
    assert images.redraw(replace(order, frames=6, pixels=6 * 48 * 32)) == (48, 32)


def visible(frames: list[bytes]) -> list[list[bytes]]:
    """The pixels of frames, all clear ones alike."""
    return [[f[at : at + 4] if f[at + 3] else b"" for at in range(0, len(f), 4)] for f in frames]


def timing(content: bytes) -> tuple[list[int], int]:
    with Image.open(io.BytesIO(content)) as image:
        durations = []
        for number in range(int(getattr(image, "n_frames", 1))):
            image.seek(number)
            image.load()
            durations.append(int(image.info["duration"]))
        return durations, int(image.info["loop"])


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    counts = ImageChops.difference(one, other).histogram()
    return sum(value % 256 * count for value, count in enumerate(counts)) / sum(counts)
