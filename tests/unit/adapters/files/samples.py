"""Files to send: honest ones, and those that somebody made to do harm."""

import io
import itertools
import struct
import zlib

from PIL import ExifTags, Image, ImageCms

from bridge.files import FileLimits

ROOMY = FileLimits(reserve_bytes=0)  # a test machine's disk may be nearly full


def picture(width: int = 48, height: int = 32) -> Image.Image:
    """No two pixels alike, so that a turned or shifted picture is noticed."""
    image = Image.new("RGB", (width, height))
    spots = itertools.product(range(width), range(height))
    for x, y in spots:
        image.putpixel((x, y), (x * 5 % 256, y * 7 % 256, (x + y) * 3 % 256))
    return image


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png(width: int = 48, height: int = 32) -> bytes:
    return encoded(picture(width, height), "PNG")


def exif(orientation: int = 1) -> Image.Exif:
    """What a telephone writes: the camera, the way up, and where it stood."""
    tags = Image.Exif()
    tags[ExifTags.Base.Make] = "SECRETCAMERA"
    tags[ExifTags.Base.Orientation] = orientation
    tags[ExifTags.IFD.GPSInfo] = {1: "N", 2: (35.0, 41.0, 22.0), 3: "E", 4: (139.0, 41.0, 30.0), 29: "SECRETDATE"}
    return tags


def photograph(form: str, orientation: int = 1, **options: object) -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encoded(picture(), form, exif=exif(orientation), icc_profile=profile, **options)


def animation(form: str, frames: int = 5, **options: object) -> bytes:
    pictures = [picture().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    for step in range(1, frames):
        moved = pictures[0].copy()
        moved.paste((255, 0, 0), (step * 4, step * 2, step * 4 + 10, step * 2 + 10))
        pictures.append(moved)
    return encoded(
        pictures[0], form, save_all=True, append_images=pictures[1:], duration=[40 + 10 * n for n in range(frames)],
        loop=3, **options,
    )  # fmt: skip


def frames_of(content: bytes) -> list[bytes]:
    """Each frame as it is shown, as RGBA bytes."""
    with Image.open(io.BytesIO(content)) as image:
        shown = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            shown.append(image.convert("RGBA").tobytes())
        return shown


def pixels_of(content: bytes) -> bytes:
    return frames_of(content)[0]


def huge_png(side: int = 12_000) -> bytes:
    """A black square in some kilobytes: one bit a pixel, packed as tightly as can be."""
    row = b"\0" * (1 + (side + 7) // 8)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = b"".join(png_chunk(*each) for each in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + chunks


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def huge_webp(side: int = 16_384) -> bytes:
    """A canvas of a gigabyte, said in thirty bytes."""
    canvas = b"\x02\0\0\0" + (side - 1).to_bytes(3, "little") * 2
    chunk = b"VP8X" + struct.pack("<I", len(canvas)) + canvas
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def pdf(text: str = "Hello", ending: bytes = b"") -> bytes:
    """A page that a viewer opens, with a cross-reference table that is right."""
    drawn = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + table + trailer + ending
