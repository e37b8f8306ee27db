"""The card of one thing: what it is, what is wrong, who answers for it, and one record a department knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twin.model import Indicator, Resource, Text
from twin.pages import purposes
from twin.pages.markup import drawn, el, icon
from twin.pages.parts import button, empty, words
from twin.pages.record import APPROVED, AREA, COMPUTED, STATED, facts, history, numbers, said, source
from twin.text import age, day, number, telephone

if TYPE_CHECKING:
    from twin.entities import Asked
    from twin.pages.desk import Desk

Json = Mapping[str, Any]


def card(desk: Desk, question: Mapping[str, Any]) -> list[Any]:
    """Answer a click: `question` names {table, id} or an entity, and what else lies there; raises TwinError."""
    if question.get("point"):
        question = _at(desk, question)
        if not question.get("table"):
            return drawn(empty(words("page.feature.nothing_here"), words("page.feature.nothing_here_next")))
    entity = question.get("entity") or _entity_id(desk, question["table"], question["id"])
    asked = desk.asked(question)
    answer = desk.rooms.entities.entity(desk.subject, entity, asked)
    sections = sorted(answer["sections"], key=lambda s: s["table"] != question.get("table"))
    first = next((s for s in sections if not s["broken"]), sections[0])
    rest = [s for s in sections if s is not first]
    return drawn(
        el(
            "article",
            _head(answer, first),
            _others(question),
            _alerts(desk, first, rest),
            _duty(desk, answer, first, asked),
            numbers(first["fields"], question),
            history(first, question),
            facts(first, question),
            purposes.line(desk, first, answer["key"], question),
            [_section(desk, s, question) for s in rest],
            _related(answer, first),
            source(desk, first, question),
            class_="card",
            aria_labelledby="card-title",
        ),
        _actions(answer),
    )


def _at(desk: Desk, question: Mapping[str, Any]) -> Mapping[str, Any]:
    lon, lat = question["point"]
    asked = desk.asked(question)
    layers = question.get("layers") or ()
    found = desk.rooms.analysis.identify(desk.subject, (lon, lat), layers, year=asked.year, language=asked.language)
    if not found:
        return {**question, "table": ""}
    first, *others = [{k: f[k] for k in ("layer", "table", "id", "title")} for f in found]
    return {**question, **first, "others": others}


def _entity_id(desk: Desk, table: str, feature_id: str) -> str:
    return desk.rooms.policy.resource(desk.subject, table).entity_id(feature_id)


def _head(answer: Json, first: Json) -> Any:
    kind = [first["title"]]
    if answer["title"] != answer["key"]:
        kind += [" ", el("span", answer["key"], class_="num")]
    if first["year"]:
        kind += [" · ", words("page.feature.edition", year=first["year"])]
    about = {
        "data_table": first["table"],
        "data_id": answer["key"],
        "data_layer": (first["layers"] or [""])[0],
        "data_title": answer["title"],
        "data_bbox": str(answer["bbox"]) if answer["bbox"] else None,
    }
    return el(
        "div",
        el("div", el("h2", answer["title"], id="card-title"), el("p", kind, class_="kind")),
        button("star-feature", words("page.feature.star"), "star", aria_pressed="false", **about),
        class_="card-head",
    )


def _others(question: Mapping[str, Any]) -> Any:
    others = [o for o in question.get("others") or () if o.get("id")]
    if not others:
        return None

    def choice(other: Json) -> Any:
        return el(
            "button",
            other.get("title") or other["id"],
            type="button",
            class_="choice",
            data_act="pick",
            data_layer=other.get("layer", ""),
            data_table=other["table"],
            data_id=other["id"],
        )

    return el(
        "section", el("h3", words("page.feature.others")), el("div", [choice(o) for o in others], class_="choices")
    )


# ---- what is wrong


def _alerts(desk: Desk, first: Json, rest: Sequence[Json]) -> Any:
    found = [a for s in (first, *rest) for a in _wrong(desk, s)]
    return el("section", found, class_="alerts") if found else None


def _wrong(desk: Desk, section: Json) -> list[Any]:
    """Give what is wrong with one record: broken data, a failed update, areas that disagree, every warning it meets."""
    if section["broken"]:
        return [_alert("danger", "failed", words("page.alert.broken"), section["broken"])]
    values = {f["name"]: f for f in section["fields"]}
    met = _met(desk, section["table"], values)
    found = [_alert(i.tone, _shape(i.tone), i.title, _because(desk, i, values)) for i in met]
    if values.get("area_disagrees", {}).get("value") is True:
        found.append(_alert("warn", "stale", words("page.alert.area"), _areas(values)))
    fresh = section["freshness"]
    if fresh["state"] == "failed":
        found.append(
            _alert("danger", "failed", words("page.alert.failed"), fresh["reason"] or section["department"]["title"])
        )
    if fresh["state"] == "held":
        found.append(
            _alert("warn", "held", words("page.alert.held"), fresh["reason"] or section["department"]["title"])
        )
    if fresh["state"] == "stale":
        zh, en = (age(fresh["age_seconds"], x) for x in ("zh-CN", "en"))
        why = words("page.alert.late_why", department=section["department"]["title"], age=Text(zh, en))
        found.append(_alert("warn", "stale", words("page.alert.late"), why))
    return found


def _shape(tone: str) -> str:
    return "overdue" if tone == "danger" else "stale"


def _alert(tone: str, shape: str, title: Any, why: Any) -> Any:
    return el("p", icon(shape, class_="shape"), el("b", title), el("span", why), class_=f"alert {tone}")


def _met(desk: Desk, table: str, values: Mapping[str, Json]) -> list[Indicator]:
    """Give the warning indicators of `table` whose condition this record meets."""
    warned = [i for t in desk.onemap.themes for i in t.indicators if i.table == table and i.tone != "plain" and i.where]
    return [i for i in warned if all(c in values and _holds(values[c]["value"], op, v) for c, op, v in i.where)]


def _holds(value: Any, operator: str, wanted: Any) -> bool:
    if value is None:
        return operator == "!="
    tests = {
        "=": lambda: value == wanted,
        "!=": lambda: value != wanted,
        ">": lambda: value > wanted,
        "<": lambda: value < wanted,
        ">=": lambda: value >= wanted,
        "<=": lambda: value <= wanted,
        "in": lambda: value in wanted,
    }
    return bool(tests[operator]())


def _because(desk: Desk, indicator: Indicator, values: Mapping[str, Json]) -> Any:
    due = next((f for n, f in values.items() if n.startswith("deadline") and f["value"]), None)
    days = desk.days_late(due["value"]) if due else 0
    if due and days:
        return words("page.alert.overdue", n=days, date=day(due["value"]))
    field = values[indicator.where[0][0]]
    if isinstance(field["value"], float) and field["unit"]:
        return [field["title"], " ", said(field, "zh-CN"), " ", field["unit"], _share(field, values)]
    return [field["title"], " ", field["meaning"] or said(field, "zh-CN")]


def _share(field: Json, values: Mapping[str, Json]) -> str:
    approved = (values.get(APPROVED) or {}).get("value")
    return f"(+{field['value'] / approved:.1%})" if approved and field["unit"] == AREA else ""


def _areas(values: Mapping[str, Json]) -> Text | str:
    stated, computed = ((values.get(c) or {}).get("value") for c in (STATED, COMPUTED))
    if not stated or not computed:
        return ""
    by = f"{(computed - stated) / stated:+.1%}"
    return words("page.alert.area_why", stated=number(stated, "en"), computed=number(computed, "en"), by=by)


# ---- who answers


def _duty(desk: Desk, answer: Json, first: Json, asked: Asked) -> Any:
    people = [person(d["name"], d["role"], d["phone"]) for d in answer["duty"]]
    people = people or _keepers(desk, answer, asked)
    department = first["department"]
    if not people and department["contact_person"]:
        role = f"{department['title']} · {department['duty']}".strip(" ·")
        people = [person(department["contact_person"], role, department["contact_phone"])]
    return el("section", people, aria_label=words("page.feature.duty")) if people else None


def _keepers(desk: Desk, answer: Json, asked: Asked) -> list[Any]:
    """Give the people on duty for the ground the thing stands on, where it names nobody itself."""
    if not answer["point"]:
        return []
    named = {r.id for r in desk.onemap.resources if r.kind == "polygon" and _names_duty(r)}
    layers = [x.id for x in desk.onemap.layers if any(d.table in named and d.interactive for d in x.draws)]
    found = desk.rooms.analysis.identify(desk.subject, answer["point"], layers, radius_m=0.1) if layers else []
    areas = [
        desk.rooms.entities.feature(desk.subject, f["table"], f["id"], asked) for f in found if f["table"] in named
    ]
    return [person(d["name"], f"{a['title']} · {d['role']}", d["phone"]) for a in areas for d in a["duty"]][:1]


def _names_duty(resource: Resource) -> bool:
    names = {f.name for f in resource.fields}
    return any(n.endswith("_name") and f"{n.removesuffix('_name')}_phone" in names for n in names)


def person(name: str, role: str, phone: str | None) -> Any:
    """Draw a person on duty: name, role, and the telephone as a link where it is not masked."""
    who = el("div", el("p", name, class_="who"), el("p", role, class_="role"))
    return el("div", who, _phone(phone), class_="duty")


def _phone(phone: str | None) -> Any:
    if not phone:
        return None
    shown = telephone(phone)
    if "*" in phone:
        return el("span", icon("phone"), shown, class_="phone num", title=words("page.feature.phone_masked"))
    dialled = phone.replace(" ", "")
    label = words("page.feature.call", phone=shown)
    return el("a", icon("phone"), shown, href=f"tel:{dialled}", class_="phone num", aria_label=label)


def _section(desk: Desk, section: Json, question: Mapping[str, Any]) -> Any:
    head = el(
        "summary",
        el("span", section["title"]),
        el("span", section["department"]["title"], class_="muted"),
        icon("right", class_="turn"),
    )
    inside = (
        el("p", section["broken"], class_="state-why")
        if section["broken"]
        else [numbers(section["fields"], question), facts(section, question), source(desk, section, question)]
    )
    return el("details", head, inside)


def _related(answer: Json, first: Json) -> Any:
    def link(entity: str, title: Any) -> Any:
        return el("li", el("button", title, type="button", data_act="entity", data_entity=entity))

    items = [link(r["entity"], f"{r['table_title']} · {r['title']}") for r in answer["related"]]
    named = {f["name"]: f["title"] for f in first["fields"]}
    items += [
        link(x["entity"], f"{named.get(x['field'], '')} {x['entity'].partition(':')[2]}") for x in answer["links"]
    ]
    return el("section", el("h3", words("page.feature.related")), el("ul", items), class_="related") if items else None


def _actions(answer: Json) -> Any:
    if not answer["bbox"]:
        return None
    box = str(answer["bbox"])
    return el(
        "div",
        button("locate", words("page.feature.locate"), "locate", text=True, class_="main", data_bbox=box),
        class_="actions",
    )
