"""Inside the cage: a photo decoded and written anew, upright, in plain colours and size, with nothing else of it."""

from __future__ import annotations

import io
import struct
from typing import IO, Any

import pi_heif
from PIL import Image, ImageCms

from twin.uploads.kinds import MOST_PIXELS, MOST_WHOLE, refusal

pi_heif.options.DECODE_THREADS = 1
pi_heif.options.THUMBNAILS = pi_heif.options.AUX_IMAGES = pi_heif.options.DEPTH_IMAGES = False
pi_heif.register_heif_opener()
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
SIDE = 2560
"""The longer side of what is kept, in pixels."""
QUALITY = 85
LONGEST = 30_000
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF 2.32 §4.6.4 A: how each orientation is turned upright."""
BAD_EXIF = (ValueError, TypeError, KeyError, SyntaxError, OSError, struct.error)


def remake(file: IO[bytes]) -> tuple[bytes, dict[str, Any]]:
    """Give the JPEG that is kept of a photo, and its width and height; raises UploadRefused."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            return _remade(image)
    except (Image.DecompressionBombError, MemoryError) as wrong:
        raise refusal("pixels") from wrong
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error) as wrong:
        raise refusal("photo_broken") from wrong


def _remade(image: Image.Image) -> tuple[bytes, dict[str, Any]]:
    most = MOST_PIXELS if image.format in ("JPEG", "MPO") else MOST_WHOLE
    if image.width * image.height > most or max(image.size) > LONGEST:
        raise refusal("pixels")
    turn, profile = _turn(image), image.info.get("icc_profile")
    image.draft(None, (SIDE, SIDE))  # a JPEG is decoded no larger than needed
    image.load()
    plain = _in_srgb(_flat(image), profile)
    plain.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    upright = plain.transpose(turn) if turn is not None else plain
    clean = Image.new("RGB", upright.size)  # whatever the file said of itself stays behind
    clean.paste(upright)
    made = io.BytesIO()
    clean.save(made, "JPEG", quality=QUALITY)
    return made.getvalue(), {"width": clean.width, "height": clean.height}


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return TURNS.get(image.getexif().get(ORIENTATION, 1))
    except BAD_EXIF:
        return None


def _flat(image: Image.Image) -> Image.Image:
    """Give the picture in three channels, what is transparent on white."""
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        seen = image.convert("RGBA")
        flat = Image.new("RGB", seen.size, "white")
        flat.paste(seen, mask=seen.getchannel("A"))
        return flat
    if image.mode.startswith(("I", "F")):
        image = image.point(lambda v: v / 256).convert("L") if image.mode.startswith("I;16") else image.convert("L")
    return image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Give the colours as every screen takes them; a profile that is none is left aside."""
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return turned or image
