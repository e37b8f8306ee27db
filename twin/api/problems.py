"""How a refusal leaves the house: problem+json in both languages; the only place that turns errors into HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from twin import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS: Mapping[type[errors.TwinError], int] = {
    errors.UploadRefused: 415,
    errors.BadRequest: 400,
    errors.CrsError: 400,
    errors.SignInRefused: 401,
    errors.Refused: 403,
    errors.NotFound: 404,
    errors.PublishConflict: 409,
    errors.TooMany: 429,
    errors.ProviderDown: 503,
    errors.StoreBroken: 503,
    errors.StoreFull: 507,
    errors.OpsDown: 503,
    errors.TwinError: 500,
}
MEDIA_TYPE = "application/problem+json"
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "status", "title", "code", "zh", "en"],
    "properties": {
        "type": {"const": "about:blank"},
        "status": {"type": "integer"},
        **{name: {"type": "string"} for name in ("title", "code", "zh", "en")},
        "where": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
"""A problem document (RFC 9457), as JSON Schema."""
WORDS: Mapping[int, tuple[str, str]] = {
    400: ("请求有误", "The request is wrong"),
    401: ("没有登录", "Not signed in"),
    403: ("不允许", "Not allowed"),
    404: ("没有找到", "Not found"),
    405: ("此地址不支持这种请求方法", "This address does not take this method"),
    408: ("请求没有按时发完", "The request did not arrive in time"),
    409: ("与另一操作冲突", "In conflict with another operation"),
    413: ("提交的内容过大", "The body is too large"),
    415: ("不支持的内容类型", "This type of content is not taken"),
    421: ("请求的主机名不是本机", "The host asked for is not this machine"),
    429: ("请求过于频繁，请稍后再试", "Too many requests; try again shortly"),
    500: ("服务出错,请查看日志", "Something failed; see the log"),
    503: ("数据暂不可用", "The data cannot be served now"),
    507: ("磁盘已满", "The disk is full"),
}


def status_of(error: errors.TwinError) -> int:
    """Give the HTTP status of an error by its nearest class."""
    return next(STATUS[c] for c in type(error).__mro__ if c in STATUS)


def document(
    status: int, zh: str = "", en: str = "", *, code: str = "", where: Mapping[str, str] | None = None
) -> bytes:
    """Give the bytes of a problem document; nothing in it depends on anything but its arguments."""
    words = WORDS.get(status, WORDS[500])
    body: dict[str, Any] = {
        "type": "about:blank",
        "status": status,
        "title": f"{words[0]} / {words[1]}",
        "code": code,
        "zh": zh or words[0],
        "en": en or words[1],
    }
    if where:
        body["where"] = dict(where)
    return json.dumps(body, ensure_ascii=False).encode()


def of(error: errors.TwinError) -> tuple[int, bytes]:
    """Give the status and the problem document of one of our errors."""
    status = status_of(error)
    return status, document(status, error.zh, error.en, code=error.code, where=error.where)


def response(status: int, zh: str = "", en: str = "", **more: Any) -> Response:
    """Give a problem as a response that nobody keeps."""
    return answer(status, document(status, zh, en, **more))


def answer(status: int, body: bytes) -> Response:
    """Wrap a problem document."""
    return Response(body, status, {"cache-control": "no-store"}, media_type=MEDIA_TYPE)
