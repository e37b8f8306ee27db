"""Files over HTTP and in an S3 bucket: whole, with their companions, only where changed; for the resource's own reader.

`source.part` is the path below the connection's address (in a bucket: the key). Options: `companions` (suffixes of the
files beside it, "shx dbf prj"), `sha256` ("yes" where <path>.sha256 lies beside it and must agree).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, quote, urlsplit

from defusedxml import ElementTree

from etl import paged
from etl.fetch import tally
from etl.fetch.book import Book
from etl.fetch.connections import Open
from etl.fetch.order import Order, Unchanged
from etl.fetch.web import Answer, Sign, Web
from twin.errors import SourceError

TAG = "etag"
CONDITIONS: Mapping[str, str] = {TAG: "If-None-Match", "last-modified": "If-Modified-Since"}
"""What an answer says of a file's state → the header that asks for it only in another one."""


def read(web: Web, order: Order, book: Book) -> None:
    """Write the file and its companions into `book`; raises Unchanged where the server says that nothing changed."""
    path = PurePosixPath(order.source.part)
    beside = [path.with_suffix(f".{s}") for s in order.option("companions").split()]
    answers = {one: web.ask(_address(one), None, _file, _unless(order, one)) for one in (path, *beside)}
    if all(answer.status == 304 for answer in answers.values()):
        raise Unchanged
    for one, answer in answers.items():
        answers[one] = web.ask(_address(one), None, _file) if answer.status == 304 else answer
        _keep(book, one, answers[one])
    _proved(web, order, path, answers[path])
    book.facts |= {"main": path.name, "rows": len(book.pages), "layout": {"form": "file"}}
    stated = {(name, one.name): a.headers.get(name, "") for one, a in answers.items() for name in CONDITIONS}
    book.facts["validators"] = {f"{name} {file}": value for (name, file), value in stated.items() if value}


def _unless(order: Order, path: PurePosixPath) -> dict[str, str]:
    """Give the headers that ask for a file only where it changed since the last pull."""
    known = {header: order.validators.get(f"{name} {path.name}", "") for name, header in CONDITIONS.items()}
    return {header: value for header, value in known.items() if value}


def bucket(web: Web, order: Order, book: Book) -> None:
    """Write the object `source.part`, or all below it where it ends in "/", as the bucket lists them."""
    if not order.source.part.endswith("/"):
        read(web, order, book)
        return
    listed = listed_below(web, order.source.part)
    tags = {f"{TAG} {key}": f"{tag} {size}" for key, (tag, size) in listed.items()}
    if tags and tags == dict(order.validators):
        raise Unchanged
    book.facts["validators"] = tags
    for key, (tag, size) in listed.items():
        answer = web.ask(_address(PurePosixPath(key)), None, _file)
        if len(answer.body) != size or answer.headers.get(TAG, tag) != tag:
            raise tally.uneven(book.name, f"{key} 与清单不符", f"{key} is not what the bucket lists")
        _keep(book, PurePosixPath(key), answer)
    book.stated = {PurePosixPath(k).name for k in listed}
    book.facts |= {"rows": len(book.pages), "layout": {"form": "file"}, "folder": True}


def listed_below(web: Web, prefix: str) -> dict[str, tuple[str, int]]:
    """Give key → (tag, bytes) of all objects below the prefix; a continuation that comes again ends it loudly."""
    found: dict[str, tuple[str, int]] = {}
    asked = {"list-type": "2", "prefix": prefix}
    seen: set[str] = set()
    while True:
        token, page = web.ask("", asked, _listing)
        found |= page
        if not token:
            return found
        if token in seen:
            raise tally.circle(prefix, list(found))
        seen.add(token)
        asked = {**asked, "continuation-token": token}


def _listing(answer: Answer) -> tuple[str, dict[str, tuple[str, int]]]:
    try:
        root = ElementTree.fromstring(answer.body)
    except ElementTree.ParseError as wrong:
        raise paged.Unusable("not a bucket's list") from wrong
    if paged.local(root.tag) != "ListBucketResult":
        raise paged.Unusable(f"not a bucket's list but {paged.local(root.tag)}")
    found: dict[str, tuple[str, int]] = {}
    for entry in (e for e in root if paged.local(e.tag) == "Contents"):
        words = {paged.local(c.tag): c.text or "" for c in entry}
        found[words["Key"]] = (words["ETag"], int(words["Size"]))
    token = next((e.text or "" for e in root if paged.local(e.tag) == "NextContinuationToken"), "")
    return token, found


def _address(path: PurePosixPath) -> str:
    return quote(path.as_posix(), safe="/-_.~")


def _file(answer: Answer) -> Answer:
    if answer.status == 304:
        return answer
    kind = answer.headers.get("content-type", "").partition(";")[0]
    looks = answer.body[:200].lstrip().lower()
    if kind == "text/html" or looks.startswith((b"<!doctype html", b"<html")):
        raise paged.Unusable("a web page, perhaps of a login")
    if not answer.body:
        raise paged.Unusable("an empty file")
    if kind == "application/json" and looks.startswith(b'{"error"'):
        raise paged.Unusable(answer.body[:200].decode("utf-8", "replace"))
    return answer


def _proved(web: Web, order: Order, path: PurePosixPath, answer: Answer) -> None:
    if order.option("sha256") != "yes":
        return
    beside = web.ask(_address(path.with_name(path.name + ".sha256")), None, _file)
    stated = beside.body.decode("ascii", "replace").split()[0].lower()
    if stated != hashlib.sha256(answer.body).hexdigest():
        raise SourceError(
            f"“{path.name}”与旁边的 .sha256 不符,传输不完整。请稍后重跑。",
            f"“{path.name}” is not what its .sha256 says; the transfer was not whole. Run again.",
            file=path.name,
        )


def _keep(book: Book, path: PurePosixPath, answer: Answer) -> None:
    book.place(path.name, answer.shown, answer.body)


def signature(to: Open) -> Sign:
    """Give what signs a request by AWS Signature Version 4, which every S3 service knows."""

    def sign(method: str, address: str, body: bytes = b"") -> Mapping[str, str]:
        parts = urlsplit(address)
        held = hashlib.sha256(body).hexdigest()
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{to.connection.region or 'us-east-1'}/s3/aws4_request"
        known = {"host": parts.netloc, "x-amz-content-sha256": held, "x-amz-date": moment}
        pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(parts.query, True))  # noqa: FBT003
        lines = "".join(f"{k}:{v}\n" for k, v in known.items())
        query = "&".join(f"{k}={v}" for k, v in pairs)
        canonical = "\n".join((method, parts.path or "/", query, lines, ";".join(known), held))
        said = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{to.secrets.password}".encode()
        for word in scope.split("/"):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        proof = hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
        credential = f"Credential={to.secrets.user}/{scope}, SignedHeaders={';'.join(known)}, Signature={proof}"
        return {"Authorization": f"AWS4-HMAC-SHA256 {credential}", **{k: v for k, v in known.items() if k != "host"}}

    return sign
