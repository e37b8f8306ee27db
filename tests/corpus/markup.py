"""Classes 61-69 of the table: XML of every kind, pictures, and what a program would fetch for whoever opens them."""

from __future__ import annotations

from tests import test_hostile as hostile
from tests.corpus.items import OUTSIDE, Class, File, Make
from tests.corpus.vectors import outside
from tests.hostile import pictures

_FIELDS = ("number", "label")
_PLACE = "119.97,30.53"


def _kml(label: str, links: str = "") -> Make:
    """Give what writes a KML of one placemark A1 with `label`; in `links`, PORT and CANARY are filled in."""
    mark = f"<Placemark><ExtendedData><Data name='编号'><value>A1</value></Data><Data name='名称'><value>{label}</value></Data></ExtendedData>{{}}<Point><coordinates>{_PLACE}</coordinates></Point></Placemark>"

    def make(path) -> None:
        filled = links.replace("PORT", str(OUTSIDE["port"])).replace("CANARY", str(OUTSIDE["canary"]))
        body = f"<?xml version='1.0' encoding='UTF-8'?><kml xmlns='http://www.opengis.net/kml/2.2'><Document>{filled}{mark.format('')}</Document></kml>"
        path.write_text(body, "utf-8")

    return make


def _gml(schema: str, link: str) -> Make:
    """Give what writes a GML of one feature A1 with a schema and a link elsewhere."""

    def make(path) -> None:
        port, canary = OUTSIDE["port"], OUTSIDE["canary"]
        filled = [t.replace("PORT", str(port)).replace("CANARY", str(canary)) for t in (schema, link)]
        body = hostile.GML.format(doctype="", schema=filled[0], link=filled[1], body="好")
        body = body.replace("urn:ogc:def:crs:EPSG::4549", "urn:ogc:def:crs:EPSG::4490").replace(
            "3379000 497000", "30.53 119.97"
        )
        path.write_text(
            body.replace("ogr:name", "ogr:名称").replace("</ogr:t>", "<ogr:编号>A1</ogr:编号></ogr:t>"), "utf-8"
        )

    return make


def _class(number: int, title: str, *files: File) -> Class:
    return Class(number=number, title=title, files=files, fields=_FIELDS, reader="vector", kind="point")


def _known(name: str, suffix: str, says: str) -> File:
    return File(name=name, suffix=suffix, outcome="R", make=outside(hostile.VECTOR[name]), says=says)


ENTITIES = _class(
    61, "XXE file/http/parameter entity",
    _known("kml-xxe", ".kml", "DTD"), _known("kml-xxe-http", ".kml", "DTD"), _known("gml-xxe", ".gml", "DTD"), _known("kml-utf16-xxe", ".kml", "not KML"),
)  # fmt: skip
_QUADRATIC = '<!DOCTYPE kml [<!ENTITY a "' + "x" * 50_000 + '">]><kml>' + "&a;" * 50_000 + "</kml>"
LAUGHS = _class(
    62, "billion laughs, quadratic blow-up",
    _known("kml-laughs", ".kml", "DTD"), _known("gml-laughs", ".gml", "DTD"),
    File(name="quadratic", suffix=".kml", outcome="R", make=lambda p: p.write_text(_QUADRATIC), says="DTD"),
)  # fmt: skip
_NETWORK = "<NetworkLink><Link><href>http://127.0.0.1:PORT/x.kml</href></Link></NetworkLink><NetworkLink><Link><href>CANARY</href></Link></NetworkLink>"
_ICON = "<Style id='s'><IconStyle><Icon><href>http://127.0.0.1:PORT/i.png</href></Icon></IconStyle></Style><GroundOverlay><Icon><href>http://127.0.0.1:PORT/o.png</href></Icon></GroundOverlay>"
STRIPPED = _class(
    63, "KMZ with http icon, NetworkLink",
    File(name="network-link", suffix=".kml", outcome="N", make=_kml("好", _NETWORK), published=1),
    File(name="icon", suffix=".kml", outcome="N", make=_kml("好", _ICON), published=1),
    File(name="kmz", suffix=".kmz", outcome="R", make=outside(hostile.VECTOR["kmz"]), says="not a vector format we take"),
)  # fmt: skip
SCHEMAS = _class(
    64, "xsi:schemaLocation to internal host",
    File(name="http", suffix=".gml", outcome="N", make=_gml("http://127.0.0.1:PORT/a.xsd", "http://127.0.0.1:PORT/x"), published=1),
    File(name="file", suffix=".gml", outcome="N", make=_gml("CANARY", "file://CANARY#x"), published=1),
    File(name="link-local", suffix=".gml", outcome="N", make=_gml("http://169.254.169.254/a.xsd", "#p"), published=1),
)  # fmt: skip
_SCRIPT = "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"
SCRIPTS = _class(
    65, "SVG/HTML with script as photo or popup text",
    File(name="popup", suffix=".kml", outcome="N", make=_kml(_SCRIPT), published=1, values={"A1": {"label": "<script>alert(1)</script><img src=x onerror=alert(1)>"}}),
    File(name="svg", suffix=".svg", outcome="R", make=lambda p: p.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), says="not a vector format we take"),
    File(name="html", suffix=".kml", outcome="R", make=lambda p: p.write_text("<html><script>alert(1)</script></html>"), says="not KML"),
)  # fmt: skip


def _rasters(number: int, title: str, *files: File) -> Class:
    return Class(number=number, title=title, files=files, fields=(), reader="raster", kind="raster", crs="EPSG:4549")


def _picture(name: str, content: bytes, suffix: str) -> File:
    return File(name=name, suffix=suffix, outcome="R", make=lambda p: p.write_bytes(content))


_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0"
FLOODS = _rasters(
    66, "60 000×60 000 PNG of 1 KB, FITS/GD bombs",
    File(name="pixel-flood", suffix=".tif", outcome="R", make=lambda p: pictures.tif(p, w=(256, 4, 60_000), h=(257, 4, 60_000))),
    _picture("png", _PNG + bytes(900), ".png"),
    _picture("fits", b"SIMPLE  =                    T".ljust(2880), ".fits"),
)  # fmt: skip
PHOTOS = _rasters(
    67, "JPEG polyglot, truncated, CMYK, EXIF GPS (as imagery; photos: see the uploads)",
    _picture("polyglot", b"\xff\xd8\xff\xe0<script>alert(1)</script>PK\x03\x04", ".jpg"),
    _picture("truncated", b"II*\0\x08\0\0\0\xff\xff", ".tif"),
    _picture("jpeg-as-tif", b"\xff\xd8\xff\xe1" + bytes(500), ".tif"),
)  # fmt: skip
DRIVERS = _rasters(
    69, "JPEG2000/ECW/odd driver",
    _picture("jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(99), ".jp2"),
    _picture("ecw", b"e\x02\0\0" + bytes(99), ".ecw"),
    File(name="vrt-as-tif", suffix=".tif", outcome="R", make=lambda p: p.write_text(f"<VRTDataset rasterXSize='1' rasterYSize='1'><VRTRasterBand><SimpleSource><SourceFilename>{OUTSIDE['canary']}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>")),
)  # fmt: skip
CLASSES = (ENTITIES, LAUGHS, STRIPPED, SCHEMAS, SCRIPTS, FLOODS, PHOTOS, DRIVERS)
