"""Draws an image anew: what is kept is its pixels, in the right order of colours and the right way up.

This is a program of its own. `adapters.files.workers` starts one process for each image, with an empty
environment and with the bounds below, because decoders are where hostile images do their harm. It reads one JSON
line (Order) and answers one (`{"width", "height"}` or `{"refused": code}`); whatever else happens, a crash
included, means that the image is damaged. It imports the standard library and Pillow, nothing of ours.

What goes: EXIF with its camera position, XMP, comments, colour profiles (after turning the colours to sRGB),
thumbnails, further pictures in a JPEG or PNG, and everything behind the picture's end. What stays: the pixels (bit
for bit where the format is lossless), transparency, orientation (applied), and the frames of a GIF or WebP.
"""

import errno
import io
import json
import os
import resource
import struct
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PIL import GifImagePlugin, Image, ImageCms, ImageOps, ImageSequence, JpegImagePlugin

_ANIMATED = {"GIF", "WEBP"}  # an animated PNG keeps its first picture: few programs make or show it
_SHOWABLE = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}  # modes that PNG holds as they are
_WEBP_EFFORT = 2  # of 6: a photograph of 48 megapixels takes 5 s, at the library's default 10
_OPEN_FILES = 32

# Keep a frame's palette as it is as long as the file does: the colours stay exact, and a frame takes a byte a pixel.
GifImagePlugin.LOADING_STRATEGY = GifImagePlugin.LoadingStrategy.RGB_AFTER_DIFFERENT_PALETTE_ONLY


class ImageRefusedError(Exception):
    """The image is not taken; the argument is a code of bridge.files.Refusal."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to do and within which bounds: paths, Pillow's name of the format, pixels, frames, bytes, seconds."""

    source: str
    target: str
    form: str
    pixels: int
    frames: int
    output_bytes: int
    memory_bytes: int
    cpu_seconds: int


def redraw(order: Order) -> tuple[int, int]:
    """Write the clean image to the order's target; its width and height in pixels.

    Raises ImageRefusedError, or anything at all for a damaged image.
    """
    refuse_large_canvas(order)
    with Image.open(order.source, formats=[order.form]) as image:
        frames = _frame_count(image, order.form)
        if image.width * image.height * frames > order.pixels or frames > order.frames:
            raise ImageRefusedError("too_many_pixels")
        pictures, options = _animation(image, order) if frames > 1 else _still(image, order)
    _write(pictures, order, options)
    return pictures[0].size


def refuse_large_canvas(order: Order) -> None:
    """Pillow hands a WebP to a decoder which takes memory for two canvases before we are told their size."""
    with open(order.source, "rb") as file:
        head = file.read(30)
    if order.form == "WEBP" and head[12:16] == b"VP8X":  # RFC 9649, 2.7: 24 bits each, less one
        width = int.from_bytes(head[24:27], "little") + 1
        height = int.from_bytes(head[27:30], "little") + 1
        if width * height > order.pixels:
            raise ImageRefusedError("too_many_pixels")


def _frame_count(image: Image.Image, form: str) -> int:
    return int(getattr(image, "n_frames", 1)) if form in _ANIMATED else 1


def _still(image: Image.Image, order: Order) -> tuple[list[Image.Image], dict[str, Any]]:
    image.load()
    options = _still_options(image, order)
    with suppress(Exception):  # an orientation that cannot be read is none
        ImageOps.exif_transpose(image, in_place=True)
    return [_bare(_in_srgb(image))], options


def _animation(image: Image.Image, order: Order) -> tuple[list[Image.Image], dict[str, Any]]:
    """Each frame as it is shown, and how long: durations in milliseconds, `loop` in rounds (0 is for ever)."""
    frames = [frame.copy() for frame in ImageSequence.Iterator(image)]
    options: dict[str, Any] = {"save_all": True}
    options["duration"] = [int(frame.info.get("duration", 0)) or 100 for frame in frames]
    if "loop" in image.info:
        options["loop"] = int(image.info["loop"])
    if order.form == "WEBP":
        options |= {"lossless": _is_lossless_webp(order.source), "quality": 80, "method": 0}
    return [_bare(frame) for frame in frames], options


def _bare(image: Image.Image) -> Image.Image:
    """The image without anything that a writer might put beside the pixels, transparency aside."""
    image.info = {key: image.info[key] for key in ("transparency",) if key in image.info}
    return image


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours as a browser shows them once the profile is gone."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"RGB", "RGBA", "CMYK"}:
        output = "RGB" if image.mode == "CMYK" else image.mode
        with suppress(ImageCms.PyCMSError, OSError, ValueError):  # a broken profile is no profile
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode=output)
            if turned is not None:
                return turned
    return image


def _still_options(image: Image.Image, order: Order) -> dict[str, Any]:
    if order.form == "JPEG":
        return _jpeg_options(image)
    if order.form == "WEBP":
        lossless = _is_lossless_webp(order.source)
        return {"lossless": lossless, "quality": 20 if lossless else 90, "method": _WEBP_EFFORT, "exact": True}
    return {}


def _jpeg_options(image: Image.Image) -> dict[str, Any]:
    """The tables that the sender's program chose, so that the file gets neither worse than need be nor larger."""
    tables = getattr(image, "quantization", None)
    if tables and image.mode in {"L", "RGB"}:
        return {"qtables": tables, "subsampling": JpegImagePlugin.get_sampling(image)}
    return {"quality": 90}


def _is_lossless_webp(source: str) -> bool:
    """Whether the first picture of the file is in a VP8L chunk (RFC 9649, 2.3 to 2.7)."""
    with open(source, "rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            if name in (b"VP8 ", b"VP8L"):
                return bool(name == b"VP8L")
            # a frame (ANMF) has 16 bytes of its own before the chunks within it
            file.seek(16 if name == b"ANMF" else length + length % 2, os.SEEK_CUR)
    return False


def _write(pictures: list[Image.Image], order: Order, options: dict[str, Any]) -> None:
    first = _writable(pictures[0], order.form)
    if options.get("save_all"):
        options = {**options, "append_images": pictures[1:]}
        if order.form == "GIF" and any(_sees_through(picture) for picture in pictures):
            options["disposal"] = 2  # each frame on an empty ground, or what one leaves clear shows the last
    try:
        with open(order.target, "xb") as file:
            first.save(file, order.form, **options)
    except OSError as error:
        raise _unwritten(error) from error


def _unwritten(error: OSError) -> Exception:
    if error.errno == errno.EFBIG:  # RLIMIT_FSIZE
        return ImageRefusedError("too_large")
    return error if error.errno is None else ImageRefusedError("storage_full")


def _writable(image: Image.Image, form: str) -> Image.Image:
    if form == "JPEG" and image.mode not in {"L", "RGB"}:
        return image.convert("RGB")
    if form == "PNG" and image.mode not in _SHOWABLE:
        return image.convert("RGBA")
    return image


def _sees_through(image: Image.Image) -> bool:
    return "transparency" in image.info or image.mode in {"LA", "RGBA"}


def bind(order: Order) -> None:
    """Bound this process for good: memory, processor time, what it may write, no core dump; and be nice."""
    for kind, bound in (
        (resource.RLIMIT_AS, order.memory_bytes),
        (resource.RLIMIT_CPU, order.cpu_seconds),
        (resource.RLIMIT_FSIZE, order.output_bytes),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        with suppress(ValueError):  # macOS knows no RLIMIT_AS
            resource.setrlimit(kind, (bound, bound))
    os.nice(10)


def answer(order: Order) -> dict[str, Any]:
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = order.pixels
    try:
        width, height = redraw(order)
    except ImageRefusedError as refused:
        return {"refused": str(refused)}
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        return {"refused": "too_many_pixels"}
    except Exception:  # decoders raise whatever they like; the image is the cause
        return {"refused": "damaged"}
    return {"width": width, "height": height}


def main() -> None:
    order = Order(**json.loads(sys.stdin.buffer.readline()))
    bind(order)
    sys.stdout.write(json.dumps(answer(order)))


if __name__ == "__main__":
    main()
