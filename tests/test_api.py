"""HTTP as a browser meets it: every answer guarded, every refusal in both languages, every route in the policy."""

from __future__ import annotations

import gzip
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import brotli
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from tests import serving_fixture as village
from tests.running import run
from twin import api
from twin.api import listings, problems
from twin.api.answers import gate
from twin.api.guard import page_csp, script_hash
from twin.api.tile_address import TEMPLATES
from twin.errors import TwinError
from twin.policy import ANONYMOUS_LOCAL, CLOSED, DASH, ROUTES, Subject, of_page
from twin.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "http://127.0.0.1:8139"
TILE = "/tiles/L06/15/27304/13463.mvt"
PAGES = "/"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> api.Front:
    return api.create(*village.build(tmp_path_factory.mktemp("api")))


@pytest.fixture(scope="module")
def client(app: api.Front) -> Iterator[TestClient]:
    with TestClient(app, base_url=BASE, raise_server_exceptions=False) as found:
        yield found


def problem(answer, status: int) -> dict:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["status"] == status
    assert any("一" <= c <= "鿿" for c in body["zh"])
    assert body["en"].isascii()
    assert "Traceback" not in answer.text
    return body


# every route has a policy row, and every row is a route


def test_every_route_of_the_api_has_a_policy_row_and_every_row_a_route(app: api.Front) -> None:
    paths = app.openapi()["paths"]
    served = {f"{m.upper()} {p}" for p, methods in paths.items() for m in methods}
    served |= {*TEMPLATES, "GET /api/v1/openapi.json"}
    undocumented = {r.path for r in app.routes if hasattr(r, "path")} - {"/api/v1/openapi.json", "/{path:path}", ""}
    assert {
        p.replace("{entity_id}", "{entity_id:path}").replace("{feature_id}", "{feature_id:path}") for p in undocumented
    } <= {r.split(" ")[1] for r in ROUTES}
    named = {r.replace("_id:path}", "_id}") for r in ROUTES}
    assert served == named


def test_every_route_of_the_pages_has_a_policy_row() -> None:
    pages = pytest.importorskip("twin.pages")
    onemap, store, settings = _empty()
    dash = pages.create(onemap, store, settings, lambda: ANONYMOUS_LOCAL)
    dash.server.test_client().get("/")
    served = {
        f"{m} {rule.rule}" for rule in dash.server.url_map.iter_rules() for m in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert served <= {*DASH, *CLOSED}, served - set(DASH)
    for output in dash.callback_map:
        assert of_page("POST", "/_dash-update-component"), output


def _empty():
    import tempfile

    return village.build(Path(tempfile.mkdtemp()), with_rasters=False)


def test_a_route_without_a_row_does_not_answer(app: api.Front) -> None:
    class Route:
        path = "/api/v1/forgotten"

    class Request:
        method = "GET"
        scope: ClassVar[dict] = {"route": Route()}

    with pytest.raises(TwinError):
        gate(Request())  # type: ignore[arg-type]


def test_pages_do_not_answer_for_the_api() -> None:
    assert of_page("GET", "/") is not None
    assert of_page("GET", "/api/v1/nothing") is None
    assert of_page("GET", "/tiles/x") is None
    assert of_page("DELETE", "/") is None
    assert of_page("POST", "/") is None


# refusals


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/nothing", 404),
        ("/api/v1/features/nothing/P1", 404),
        ("/api/v1/features/cover/P99", 404),
        ("/api/v1/entities/parcel:P99", 404),
        ("/api/v1/entities/no-colon", 404),
        ("/api/v1/identify?lon=500&lat=0", 400),
        ("/api/v1/identify?lon=nan&lat=0", 400),
        ("/api/v1/identify?lon=119.97&lat=30.53&layers=LXX", 404),
        ("/api/v1/layers?language=fr", 400),
        ("/api/v1/style.json?base=http://evil.example", 400),
        ("/tiles/LXX/14/1/1.mvt", 404),
        ("/tiles/L06/30/1/1.mvt", 400),
        ("/tiles/L06/3/9/1.mvt", 400),
        ("/tiles/L06/1/1.mvt", 404),
        ("/tiles/L06/14/%D9%A1/1.mvt", 400),
        ("/tiles/L06/14/-1/1.mvt", 400),
        ("/tiles/L06/14/1/1.exe", 404),
        ("/tiles/L06/14/1/1.mvt?year=20x5", 400),
        ("/tiles/L06/14/1/1.mvt?year=%E0%A5%A8%E0%A5%A6", 400),
        ("/tiles/L06/14/1/1.png", 404),
        ("/tiles/scene/house/tileset.json", 404),
        ("/tiles/scene/house/../../../etc/passwd", 404),
        ("/tiles/tianditu/evil/3/1/1", 400),
        ("/tiles/", 404),
    ],
)
def test_refusals_are_problem_json_in_both_languages(client: TestClient, path: str, status: int) -> None:
    problem(client.get(path), status)


def test_the_hidden_and_the_unknown_get_the_same_bytes(client: TestClient) -> None:
    hidden = client.get("/api/v1/features/secret/S1")
    missing = client.get("/api/v1/features/nosuch/S1")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.content.replace(b"secret", b"nosuch") == missing.content
    assert set(hidden.headers) == set(missing.headers)


def test_other_methods_are_refused(client: TestClient) -> None:
    problem(client.delete(TILE), 405)
    problem(client.put("/api/v1/layers"), 405)


def test_a_failure_of_ours_tells_nothing(client: TestClient, app: api.Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.state.rooms.search, "find", lambda *_, **__: 1 / 0)
    body = problem(client.get("/api/v1/search?q=x"), 500)
    assert "ZeroDivision" not in json.dumps(body)


def test_every_error_of_ours_has_a_status() -> None:
    def below(kind: type) -> set[type]:
        return {kind} | {x for c in kind.__subclasses__() for x in below(c)}

    assert all(400 <= problems.status_of(kind("甲", "a")) < 600 for kind in below(TwinError))


# the wall


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil:80"])
@pytest.mark.parametrize("path", ["/health", TILE])
def test_a_rebound_name_is_refused(client: TestClient, host: str, path: str) -> None:
    assert client.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8050", "[::1]:8050", "LOCALHOST"])
def test_this_machine_is_answered(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"host": host}).status_code == 200


POLYGON = {
    "type": "Polygon",
    "coordinates": [[[119.9705, 30.5305], [119.9715, 30.5305], [119.9715, 30.5315], [119.9705, 30.5305]]],
}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": BASE}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_posts_come_from_our_own_page(client: TestClient, headers: dict, status: int) -> None:
    answer = client.post("/api/v1/analysis/overlay", json=POLYGON, headers=headers)
    assert answer.status_code == status


def test_bodies_are_limited(client: TestClient) -> None:
    problem(client.post("/api/v1/analysis/overlay", content=b"[" * 1_000_001), 413)

    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"[" * 100_000

    problem(client.post("/api/v1/analysis/overlay", content=endless()), 413)
    assert client.post("/api/v1/analysis/overlay", content=b"[" * 100_000).status_code == 400


@pytest.mark.parametrize("path", ["/health", TILE, "/api/v1/nothing", "/tiles/L06/30/1/1.mvt"])
def test_every_answer_carries_the_headers_and_tells_no_version(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "server" not in headers
    assert "x-powered-by" not in headers
    assert "access-control-allow-origin" not in headers


def test_request_ids_differ(client: TestClient) -> None:
    assert client.get("/health").headers["x-request-id"] != client.get("/health").headers["x-request-id"]


def test_the_page_policy_has_no_unsafe_script() -> None:
    policy = page_csp([script_hash("let a = 1")])
    assert "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in policy
    scripts = next(p for p in policy.split("; ") if p.startswith("script-src"))
    assert "unsafe-inline" not in scripts
    assert "'unsafe-eval'" not in scripts
    assert "http" not in policy


def test_no_documentation_page_comes_from_elsewhere(client: TestClient) -> None:
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
    assert client.get("/api/v1/openapi.json").status_code == 200


# answers


def test_health_tells_who_looks_after_the_data_where_and_what_is_served(client: TestClient) -> None:
    body = client.get("/health").json()
    assert (body["status"], body["bound"], body["demo"]) == ("ok", "127.0.0.1", True)
    assert body["tables"] > 0


def test_health_tells_anybody_else_no_more_than_whether_it_is_well(client: TestClient) -> None:
    found = listings.health(client.app.state.rooms, Subject(id="anonymous", role="anonymous"))
    assert found == {"status": "ok"}


def test_layers_carry_what_the_row_shows(client: TestClient) -> None:
    layers = {x["id"]: x for x in client.get("/api/v1/layers?language=en").json()["layers"]}
    land = layers["L06"]
    assert land["title"] == "Land cover"
    assert land["department"]["title"] == "Land Bureau"
    assert land["share"] == "conditional"
    assert [i["value"] for i in land["legend"][0]["items"]] == ["0101", "0103", "0810"]
    assert land["tables"][0]["as_of"] == "2025-06-30"
    assert land["tables"][0]["years"] == [2020, 2025]


def test_the_catalogue_lists_no_hidden_field_and_no_hidden_table(client: TestClient) -> None:
    body = client.get("/api/v1/catalog").text
    assert '"id_card"' not in body
    assert '"note"' not in body
    assert '"secret"' not in body
    assert '"owner_name"' in body


def test_no_private_value_leaves_by_any_get(client: TestClient) -> None:
    paths = (
        "/health", "/api/v1/themes", "/api/v1/layers", "/api/v1/catalog", "/api/v1/style.json",
        "/api/v1/entities/parcel:P5", "/api/v1/features/cover/P5", "/api/v1/search?q=CANARY",
        "/api/v1/identify?lon=119.9715&lat=30.5315", "/api/v1/indicators", "/api/v1/entities/house:H1",
    )  # fmt: skip
    text = "".join(client.get(p).text for p in paths)
    text += client.post("/api/v1/analysis/overlay", json=POLYGON).text
    for name in ("personal", "sensitive", "unclassified"):
        assert village.CANARY[name] not in text.replace('"q":"CANARY"', "")


def test_answers_that_may_be_kept_have_an_etag_and_304(client: TestClient) -> None:
    first = client.get("/api/v1/layers")
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get("/api/v1/layers", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert client.get("/api/v1/entities/parcel:P5").headers["cache-control"] == "no-store"


def test_long_answers_come_packed_and_each_packing_has_its_own_etag(client: TestClient) -> None:
    packed = client.get("/api/v1/layers", headers={"accept-encoding": "br"})
    plain = client.get("/api/v1/layers", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "br"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert packed.headers["etag"] != plain.headers["etag"]


# tiles


def test_a_tile_has_a_strong_etag_and_answers_304(client: TestClient) -> None:
    first = client.get(TILE)
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    tag = first.headers["etag"]
    assert not tag.startswith("W/")
    again = client.get(TILE, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(TILE, headers={"if-none-match": '"other"'}).status_code == 200


def test_tiles_of_two_years_and_of_two_places_have_tags_of_their_own(client: TestClient) -> None:
    """MapLibre goes on drawing what it has where a tile comes under the tag it had."""
    other = TILE.replace("/27304/", "/27303/")
    tags = [client.get(url).headers["etag"] for url in (TILE, TILE + "?year=2020", TILE + "?year=2025", other)]
    assert len(set(tags)) == len(tags)


def test_an_open_tile_named_by_its_version_is_kept_for_ever(client: TestClient) -> None:
    style = client.get("/api/v1/style.json").json()
    url = style["sources"]["L05"]["tiles"][0].format(z=15, x=27304, y=13463, year=2025)
    assert client.get(url).headers["cache-control"] == "private, max-age=31536000, immutable"
    assert client.get(url.partition("?")[0]).headers["cache-control"] == "private, no-cache"
    assert client.get(url.partition("?")[0] + "?v=old").headers["cache-control"] == "private, no-cache"


def test_a_tile_that_is_not_for_everybody_is_kept_by_no_browser(client: TestClient) -> None:
    style = client.get("/api/v1/style.json").json()
    url = style["sources"]["L06"]["tiles"][0].format(z=15, x=27304, y=13463, year=2025)
    assert client.get(url).status_code == 200
    assert {client.get(u).headers["cache-control"] for u in (url, TILE, TILE + "?v=old")} == {"no-store"}


def test_nothing_there_is_204(client: TestClient) -> None:
    for path in (
        "/tiles/L06/14/1/1.mvt",
        "/tiles/L02/14/1/1.png",
        "/tiles/terrain/14/1/1.png",
        "/tiles/L17/14/1/1.mvt",
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.content) == (204, b""), path


@pytest.mark.parametrize("path", ["L06/15/27304/13463.mvt", "L02/15/27304/13463.png", "terrain/15/27304/13463.png"])
def test_what_is_declared_and_not_yet_delivered_is_204(app: api.Front, tmp_path: Path, path: str) -> None:
    rooms = app.state.rooms
    settings = replace(rooms.settings, data=tmp_path)
    with TestClient(api.create(rooms.onemap, Store(settings.store), settings), base_url=BASE) as empty:
        answer = empty.get(f"/tiles/{path}")
    assert (answer.status_code, answer.content) == (204, b"")


def test_tiles_come_packed_as_the_client_can_read(client: TestClient, app: api.Front) -> None:
    layer = app.state.rooms.onemap.layer("L06")
    from tests.test_tiles import HERE, at

    body = app.state.rooms.tiles.vector(village_subject(), layer, at(*HERE, 15))
    assert client.get(TILE, headers={"accept-encoding": "identity"}).content == body
    from twin.api.packing import QUICK

    assert brotli.decompress(QUICK[b"br"](body)) == body
    assert gzip.decompress(QUICK[b"gzip"](body)) == body


def village_subject():
    from twin.policy import ANONYMOUS_LOCAL

    return ANONYMOUS_LOCAL


def test_head_has_the_headers_and_no_body(client: TestClient) -> None:
    answer = client.head(TILE)
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


def test_images_say_what_they_are(client: TestClient) -> None:
    assert client.get("/tiles/L02/15/27304/13463.png").headers["content-type"] == "image/webp"
    assert client.get("/tiles/terrain/15/27304/13463.png").headers["content-type"] == "image/png"
    drawn = client.get("/tiles/drawn/L06/15/27304/13463.png")
    assert drawn.headers["content-type"] == "image/png"
    assert drawn.content.startswith(b"\x89PNG")


def test_without_a_key_no_foreign_base_map_is_asked(client: TestClient) -> None:
    assert client.get("/tiles/tianditu/vec/3/1/1").status_code == 204
    assert "tianditu" not in client.get("/api/v1/style.json").text


def test_a_broken_table_is_503_and_the_rest_goes_on(tmp_path: Path) -> None:
    onemap, store, settings = village.build(tmp_path, with_rasters=False)
    path = store.current("cover").file("serving.duckdb")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with TestClient(api.create(onemap, type(store)(settings.store), settings), base_url=BASE) as client:
        problem(client.get(TILE), 503)
        problem(client.get("/api/v1/features/cover/P1"), 503)
        assert client.get("/tiles/L16/15/27304/13463.mvt").status_code == 200
        assert client.get("/health").json()["status"] == "broken"
        assert client.get("/api/v1/layers").status_code == 200
        assert client.get("/api/v1/indicators?theme=planning").json()["indicators"][0]["state"] == "broken"


def test_a_publish_is_seen_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.api.tile_server.VERSION_SECONDS", 0.0)
    onemap, store, settings = village.build(tmp_path, with_rasters=False)
    with TestClient(api.create(onemap, store, settings), base_url=BASE) as client:
        before = client.get(TILE)
        rows = [{**r, "land_class": "0810A"} for r in village.TABLES["cover"]]
        village.publish(store, "cover", rows, kind="polygon", run="r2")
        after = client.get(TILE)
        assert before.headers["etag"] != after.headers["etag"]
        assert b"0810A" in after.content
        store.rollback("cover")
        assert client.get(TILE).content == before.content


# pages under the API


def test_pages_are_packed_once_and_kept(tmp_path: Path) -> None:

    from twin.api.packed import Packed

    asked = []

    async def pages(scope, receive, send) -> None:
        asked.append(scope["path"])
        body = b"const x = 1;" * 500
        headers = [(b"content-type", b"text/javascript"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    app = Packed(pages, tmp_path / "packed")

    def get(path: str, headers: list) -> tuple[int, dict, bytes]:
        sent = []

        async def send(message) -> None:
            sent.append(message)

        async def receive() -> dict:
            return {"type": "http.request", "body": b""}

        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
        run(app(scope, receive, send))
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]

    path = "/_dash-component-suites/dash/x.v1m2.js"
    status, headers, body = get(path, [(b"accept-encoding", b"gzip, br")])
    assert (status, headers[b"content-encoding"]) == (200, b"br")
    assert brotli.decompress(body) == b"const x = 1;" * 500
    assert b"immutable" in headers[b"cache-control"]
    assert len(list((tmp_path / "packed").iterdir())) == 1
    get(path, [(b"accept-encoding", b"br")])
    assert asked == [path]
    assert get(path, [(b"accept-encoding", b"br"), (b"if-none-match", headers[b"etag"])])[0] == 304
    plain = get("/other", [])
    assert b"content-encoding" not in plain[1]


def test_a_large_answer_is_packed_once_for_all_who_are_sent_the_very_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twin.api import packed, packing

    packs: list[int] = []
    quick = packing.QUICK[b"gzip"]
    monkeypatch.setattr(packing, "QUICK", {b"gzip": lambda body: packs.append(len(body)) or quick(body)})
    app = packed.Packed(lambda *_: None, tmp_path)  # type: ignore[arg-type]
    bodies = [bytes([n % 7]) * packed.LARGE for n in range(14)]
    assert [gzip.decompress(app._pack(b, b"gzip", False)) for b in bodies] == bodies
    assert len(packs) == 7
    app._pack(b"x" * 5000, b"gzip", False)
    app._pack(b"x" * 5000, b"gzip", False)
    assert len(packs) == 9
