"""What was found and what people answered → a declaration; what neither knows stays open, and `etl check` says so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from etl import catalog
from etl.cataloguing import toml_text
from etl.looking import lexicon
from twin.errors import BadRequest
from twin.model import Text
from twin.search import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.catalog import Catalog
    from etl.looking.values import Column, Look

FOLDER = catalog.ADDED
"""Where a resource that was declared by looking stands, a file of its own, beside the departments' files."""
CYCLES: Mapping[str, int] = {
    "实时": 3600, "每日": 86_400, "每周": 604_800, "每月": 2_678_400, "每季度": 7_948_800, "每半年": 15_897_600,
    "每年": 31_708_800, "不定期": 157_788_000,
}  # fmt: skip
ASKED: Mapping[str, tuple[str, str]] = {
    "department": ("由哪个部门提供", "which department provides it"),
    "id": ("资源标识(小写字母、数字、下划线)", "the resource's id (lower-case letters, digits, _)"),
    "title": ("资源名称", "what it is called"),
    "theme": ("属于哪个专题", "which theme it belongs to"),
    "code": ("信息资源代码", "its code in the official catalogue"),
    "class_path": ("目录分类(类、项、目、细目)", "its class in the official catalogue"),
    "share_type": ("共享类型:unconditional / conditional / none", "how it is shared: unconditional, conditional, none"),
    "share_condition": ("共享条件(无条件共享写“无”)", "on which condition it is shared"),
    "open_attr": ("开放属性:开放 / 依申请开放 / 不开放", "whether the public gets it"),
    "update_cycle": ("更新周期,如 每月", "how often it is delivered, such as 每月"),
    "cadence_seconds": ("更新周期折合多少秒", "that cycle in seconds"),
    "legal_basis": ("法律依据", "what law it rests on"),
    "contact_person": ("联系人(岗位)", "whom to ask"),
    "contact_phone": ("联系电话", "and by which telephone"),
    "key": ("哪一列是主键", "which column names a row"),
    "crs": ("坐标系", "its coordinate system"),
}
"""What a machine cannot know of a source, or not always."""
MUST = ("legal_basis", "contact_person", "contact_phone")
"""Asked although a declaration may lack it."""
UNNAMED = re.compile(r"[^A-Za-z0-9\u4e00-\u9fff._()（）-]+")
_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")
FIRST_LAYER = 101


def table(look: Look, answers: Mapping[str, Any], known: Catalog) -> tuple[dict[str, Any], list[str]]:
    """Give the declaration as a TOML table and the names of what is still open.

    Raises BadRequest for an answer that cannot be: a department there is not, an id that is taken, a state secret.
    """
    department = str(answers.get("department", ""))
    if department and department not in {d.id for d in known.departments}:
        raise BadRequest(f"没有部门 {department[:40]}", f"There is no department {department[:40]}", field="department")
    made = _head(look, answers, known)
    made |= _class(department, made.get("title"), answers, known)
    made |= _shared(answers)
    columns = [c for c in look.columns if not _of(answers, c).get("skip")]
    key = str(answers.get("key") or look.value("key"))
    made |= {"key": key} if key in {c.name for c in columns} else {}
    titles = [c for c in columns if c.type == "string" and not c.meaning and c.name != key and "名" in c.title[0]]
    made |= {"title_field": titles[0].name} if titles else {}
    if look.kind in ("point", "line", "polygon"):
        made["layers"] = [_layer(known, str(made.get("id", "")))]
    made["options"] = {"added": datetime.now(UTC).date().isoformat()}
    made["source"] = [_source(look, answers)]
    made["field"] = [_field(look, c, answers, key) for c in columns]
    return made, list(_open(made, look, answers))


def _head(look: Look, answers: Mapping[str, Any], known: Catalog) -> dict[str, Any]:
    title = str(answers.get("title_zh") or "").strip()
    english = str(answers.get("title_en") or "").strip()
    made: dict[str, Any] = {}
    wanted = str(answers.get("id") or "").strip() or _id(title or PurePosixPath(look.name).stem, known)
    if not _ID.fullmatch(wanted) or known.resource(wanted) is not None:
        zh, en = f"资源标识 {wanted[:40]} 不可用或已被使用", f"The id {wanted[:40]} cannot be used, or is taken"
        raise BadRequest(zh, en, field="id")
    made["id"] = wanted
    if title:
        made["title"] = Text(title[:80], english[:80] or title[:80])
        summary = f"{title[:80]},由 {PurePosixPath(look.name).name[:80]} 申报。"
        made["abstract"] = Text(summary, f"{english[:80] or title[:80]}, declared from a delivered source.")
    return made | {"format": look.format, "reader": look.reader, "kind": str(answers.get("kind") or look.kind)}


def _id(title: str, known: Catalog) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", spelled(lexicon.bare(title))).strip("_")[:36].strip("_") or "source"
    name = name if name[0].isalpha() else f"s_{name}"
    free = (n for n in (name, *(f"{name}_{k}" for k in range(2, 999))) if known.resource(n) is None)
    return next(free)


def _class(department: str, title: Text | None, answers: Mapping[str, Any], known: Catalog) -> dict[str, Any]:
    """Give class path and code, following the class most of the department's resources have, or the one chosen."""
    office = next((d for d in known.departments if d.id == department), None)
    classed = [r for r in office.resources if len(r.class_path) == 4 and "/" in r.code] if office else []
    if office is None or not classed or title is None:
        return {}
    counted = Counter(r.class_path[:3] for r in classed)
    chosen = tuple(str(answers.get("class", "")).split("/"))
    path = chosen if chosen in counted else counted.most_common(1)[0][0]
    model = next(r for r in classed if r.class_path[:3] == path)
    head, _, rest = model.code.partition("/")
    number = max(int(r.code[-4:]) for r in classed) + 1
    return {"code": f"{head}/{rest[:2]}{number:04d}", "class_path": [*path, title.zh]}


def _shared(answers: Mapping[str, Any]) -> dict[str, Any]:
    plain = {
        k: str(answers[k]).strip()[:200]
        for k in ("theme", "share_type", "share_condition", "open_attr", "update_cycle", *MUST)
        if str(answers.get(k) or "").strip()
    }
    if plain.get("share_type") == "unconditional":
        plain.setdefault("share_condition", "无")
    if plain.get("update_cycle") in CYCLES:
        plain["cadence_seconds"] = CYCLES[plain["update_cycle"]]  # type: ignore[assignment]
    made: dict[str, Any] = {"share_method": "共享平台文件交换", "published": datetime.now(UTC).date(), **plain}
    return made


def _layer(known: Catalog, resource: str) -> str:
    taken = {layer for r in known.resources if r.id != resource for layer in r.layers}
    return next(f"L{n}" for n in range(FIRST_LAYER, 10_000) if f"L{n}" not in taken)


def _source(look: Look, answers: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"location": str(answers.get("location") or look.main)}
    year, as_of = str(answers.get("year", look.value("year"))), look.value("as_of")
    made |= {"year": int(year)} if re.fullmatch(r"\d{4}", year) else {}
    made |= {"as_of": date.fromisoformat(as_of)} if as_of else {}
    made |= {"part": look.part} if look.part else {}
    crs = str(answers.get("crs") or look.value("crs"))
    stated = look.fact("crs")
    if crs and look.kind != "none" and not (stated and stated.sure == "sure" and crs == stated.value and _said(look)):
        made["crs"] = crs
    encoding = str(answers.get("encoding") or look.value("encoding"))
    made |= {"encoding": encoding} if encoding and look.format in ("CSV", "SHP") else {}
    if look.value("x"):
        x, y = look.value("x"), look.value("y")
        if answers.get("axis_order") == "exchange":
            x, y = y, x
        made |= {"x": x, "y": y}
    if look.connection:
        made["connection"] = look.connection
    options = dict(look.options)
    if str(answers.get("header_rows") or ""):
        options["header_rows"] = str(answers["header_rows"])
    if look.value("angle"):
        options["angle"] = look.value("angle")
    return made | ({"options": options} if options else {})


def _said(look: Look) -> bool:
    """Say whether the file states its system itself, so that the declaration need not."""
    return look.reader == "vector" and look.format in ("SHP", "GPKG", "GDB")


def _of(answers: Mapping[str, Any], column: Column) -> Mapping[str, Any]:
    columns = answers.get("columns", {})
    return columns.get(column.source, {}) if isinstance(columns, Mapping) else {}


def _field(look: Look, column: Column, answers: Mapping[str, Any], key: str) -> dict[str, Any]:
    told = _of(answers, column)
    sensitivity = str(told.get("sensitivity") or column.sensitivity)
    if sensitivity == "state-secret":
        raise BadRequest(
            f"“{column.source}”是国家秘密,不得进入本系统。请从文件中删去此列后重新上传",
            f"“{column.source}” is a state secret and never enters this system. Take it out of the file, send it anew",
            field=column.source,
        )
    del look
    made: dict[str, Any] = {
        "name": column.name,
        "title": Text(*column.title),
        "type": str(told.get("type") or column.type),
        "source": column.source,
    }
    made |= {"sensitivity": sensitivity} if sensitivity else {}
    made |= {"unit": column.unit} if column.unit else {}
    made |= {"scale": column.scale} if column.scale != 1.0 and made["type"] == "number" else {}
    made |= {"code_system": column.code_system} if column.code_system and not told.get("no_codes") else {}
    made |= {"pattern": column.pattern} if column.pattern else {}
    made |= {"meaning": column.meaning} if column.meaning and sensitivity in ("personal", "sensitive") else {}
    return made | ({"required": True} if column.name == key else {})


def _open(made: Mapping[str, Any], look: Look, answers: Mapping[str, Any]) -> Iterator[str]:
    if not answers.get("department"):
        yield "department"
    for name in ASKED:
        if name not in ("department", "crs") and name not in made:
            yield name
    if made["kind"] != "none" and "crs" not in made["source"][0] and not look.value("crs"):
        yield "crs"
    for field in made["field"]:
        if "sensitivity" not in field:
            yield f"sensitivity:{field['name']}"


# ---- as text


def text(look: Look, made: Mapping[str, Any], asked: list[str], department: str) -> str:
    """Write the declaration as TOML, every fact with its evidence beside it, what is open as a question."""
    lines = [f"# {look.name}: 由 etl new 看过后写成 · written by etl new after looking at it", ""]
    lines += [f'department = "{department}"' if department else _question("department"), ""]
    lines += ["[[resource]]"]
    lines += [f"{k} = {toml_text.value(v)}" for k, v in made.items() if k not in ("source", "field")]
    lines += [_question(k) for k in asked if k in ASKED and k != "department"]
    facts = [f"# {f.what} = {f.value or '?'} ({f.sure}): {f.why[0]} · {f.why[1]}" for f in look.facts]
    for source in made["source"]:
        lines += ["", *map(_one_line, facts), "[[resource.source]]"]
        lines += [f"{k} = {toml_text.value(v)}" for k, v in source.items()]
    told = {c.source: c for c in look.columns}
    for field in made["field"]:
        why = told[field["source"]]
        lines += ["", *(_one_line(f"# ({why.sure}) {zh} · {en}") for zh, en in why.why), "[[resource.field]]"]
        lines += [f"{k} = {toml_text.value(v)}" for k, v in field.items()]
        if "sensitivity" not in field:
            lines.append("# sensitivity = ?  待答:公开、内部、个人或敏感 · public, internal, personal or sensitive")
    return "\n".join(lines) + "\n"


def _question(name: str) -> str:
    zh, en = ASKED[name]
    return f"# {name} = ?  待答:{zh} · to be answered: {en}"


def _one_line(words: str) -> str:
    return "".join(c if c.isprintable() else " " for c in words)[:400]


def file_of(village: Path, resource: str) -> Path:
    """Give where the declaration of one resource stands."""
    return village / "catalog" / FOLDER / f"{resource}.toml"


def plain_name(name: str) -> str:
    """Give a delivered file's name as it may lie below raw/: no folders, no white space, none that is hidden."""
    base = PurePosixPath(name.replace("\\", "/")).name
    cleaned = UNNAMED.sub("_", base).lstrip(".")[:120]
    return cleaned or "file"
