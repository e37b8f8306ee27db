"""The independent page of grants: written by hand from what was promised, reading nothing of the code or of grants.toml."""

from __future__ import annotations

OWN, SIBLING, PARENT, FOREIGN = "own", "sibling", "parent", "foreign"
AREAS = (OWN, SIBLING, PARENT, FOREIGN)
"""The asker's village, the next village of his town, a row coded to the town itself, a village of another county."""

TABLES = {
    # shared how, opened how, whose data, does a row stand for a person, does a row carry an area code, and which
    "thing": {"share": "conditional", "open": "依申请开放", "owner": "land", "people": False, "coded": "village"},
    "shop": {"share": "unconditional", "open": "开放", "owner": "land", "people": False, "coded": "village"},
    "home": {"share": "conditional", "open": "不开放", "owner": "civil", "people": True, "coded": "grid"},
    "petition": {"share": "unconditional", "open": "开放", "owner": "civil", "people": True, "coded": "grid"},
    "plot": {"share": "conditional", "open": "不开放", "owner": "civil", "people": False, "coded": "no"},
    "closed": {"share": "none", "open": "不开放", "owner": "land", "people": False, "coded": "no"},
}
LAYERS = {"M1": "open", "M2": "conditional", "M3": "masked", "M4": "sensitive"}
DRAWN = {
    "shop": ("M1",), "petition": ("M1",), "closed": ("M1",), "thing": ("M2",), "home": ("M3",), "plot": ("M4", "M3"),
}  # fmt: skip
COLUMNS = {
    "id": "public", "label": "public", "memo": "internal", "keeper_name": "personal", "keeper_phone": "personal",
    "id_card": "sensitive", "note": "unclassified",
}  # fmt: skip

EVERYWHERE, VILLAGE, GRID = "everywhere", "village", "grid"
"""How far: the whole store, rows coded to the asker's village, rows coded to his grid."""
HALF = {"personal": ("masked", VILLAGE)}
FULL = {"personal": ("clear", VILLAGE), "sensitive": ("masked", VILLAGE)}
INSIDE = {"public": ("clear", EVERYWHERE), "internal": ("clear", VILLAGE)}
KEY = {"public": ("clear", VILLAGE), "internal": ("clear", VILLAGE), "personal": ("masked", VILLAGE)}
ALL = ("unconditional", "conditional")

GRANTS = {
    "nobody": {"classes": {}, "shares": (), "layers": ()},
    "anonymous": {
        "classes": {"public": ("clear", EVERYWHERE)}, "shares": ("unconditional",), "open": ("开放",),
        "layers": ("open",), "exact": ("unconditional",), "k": 10,
    },
    "resident": {
        "classes": {"public": ("clear", EVERYWHERE)}, "shares": ALL, "open": ("开放", "依申请开放"),
        "layers": ("open", "conditional"), "exact": ("unconditional",), "k": 10,
    },
    "grid_worker": {
        "classes": {**INSIDE, "personal": ("masked", GRID)}, "shares": ALL, "layers": ("open", "conditional", "masked"),
        "exact": ("unconditional", "conditional", "people"), "k": 10,
    },
    "official": {
        "classes": {**INSIDE, **HALF}, "shares": ALL, "layers": ("open", "conditional", "masked", "sensitive"),
        "exact": ("unconditional", "conditional", "people"), "k": 0,
    },
    "official with a purpose": {
        "classes": {**INSIDE, **FULL}, "shares": ALL, "layers": ("open", "conditional", "masked", "sensitive"),
        "exact": ("unconditional", "conditional", "people"), "k": 0,
    },
    "department_owner": {
        "classes": INSIDE, "shares": ALL, "layers": ("open", "conditional", "masked"), "k": 10,
        "exact": ("unconditional", "conditional"),
        "own": {"classes": {**INSIDE, **HALF}, "exact": ("unconditional", "conditional", "people"), "k": 0,
                "layers": ("open", "conditional", "masked", "sensitive")},
    },
    "department_owner with a purpose": {
        "classes": INSIDE, "shares": ALL, "layers": ("open", "conditional", "masked"), "k": 10,
        "exact": ("unconditional", "conditional"),
        "own": {"classes": {**INSIDE, **FULL}, "exact": ("unconditional", "conditional", "people"), "k": 0,
                "layers": ("open", "conditional", "masked", "sensitive")},
    },
    "planner": {
        "classes": INSIDE, "shares": ALL, "layers": ("open", "conditional", "masked"), "k": 10,
        "exact": ("unconditional", "conditional"),
    },
    "data_engineer": {
        "classes": {"public": ("clear", EVERYWHERE), "internal": ("clear", EVERYWHERE), "personal": ("masked", EVERYWHERE)},
        "shares": ALL, "layers": ("open", "conditional", "masked", "sensitive"), "exact": ("unconditional", "conditional"),
        "k": 10,
    },
    "security_admin": {"classes": {}, "shares": (), "layers": ()},
    "auditor": {"classes": {}, "shares": (), "layers": ()},
    "system": {
        "classes": KEY, "shares": ALL, "layers": ("open", "conditional", "masked"), "exact": ("unconditional", "conditional"),
        "k": 10, "keyed": {"M2": None, "M3": ("label", "keeper_phone")},
    },
    "local": {
        "classes": {"public": ("clear", EVERYWHERE), "internal": ("clear", EVERYWHERE), "personal": ("masked", EVERYWHERE)},
        "shares": ALL, "layers": ("open", "conditional", "masked", "sensitive"),
        "exact": ("unconditional", "conditional", "people"), "k": 0,
    },
}  # fmt: skip
USES = ("filter", "sort", "group", "count")


def held(who: str, table: str) -> dict:
    """Give what `who` is granted on `table`: the department's own part where it is his department's (civil)."""
    grant = GRANTS[who]
    if TABLES[table]["owner"] == "civil" and "own" in grant:
        return {**grant, **grant["own"]}
    return grant


def shared(who: str, table: str) -> bool:
    """Say whether the table as such is for `who`."""
    grant, facts = held(who, table), TABLES[table]
    if facts["share"] not in grant["shares"] or not grant["classes"]:
        return False
    if "keyed" in grant and not any(x in grant["keyed"] for x in DRAWN[table]):
        return False
    return facts["open"] in grant.get("open", (facts["open"],))


def covers(reach: str, table: str, area: str) -> bool:
    """Say whether a row of `table` coded to `area` lies within `reach`; rows without a code are the own village's."""
    coded = TABLES[table]["coded"]
    if reach == EVERYWHERE:
        return True
    if reach == GRID:
        return coded == "grid" and area == OWN
    return area == OWN or coded == "no"


def row_is_there(who: str, table: str, area: str) -> bool:
    """Say whether `who` may know of the row at all, one by one."""
    if not shared(who, table):
        return False
    classes = held(who, table)["classes"]
    if not covers(classes["public"][1], table, area):
        return False
    if not TABLES[table]["people"]:
        return True
    return "personal" in classes and covers(classes["personal"][1], table, area)


def access(who: str, table: str, area: str, column: str) -> str:
    """Give "clear", "masked", "hidden" or, where the very row is not there, "gone"."""
    if not row_is_there(who, table, area):
        return "gone"
    granted = held(who, table)["classes"].get(COLUMNS[column])
    if granted is None or not covers(granted[1], table, area):
        return "hidden"
    named = _named_by_key(who, table)
    if named is not None and column not in named:
        return "hidden"
    return granted[0]


def _named_by_key(who: str, table: str) -> tuple | None:
    keyed = GRANTS[who].get("keyed")
    if keyed is None:
        return None
    parts = [keyed[x] for x in DRAWN[table] if x in keyed]
    return None if None in parts else ("id", *(c for part in parts for c in part))


def usable(who: str, table: str, column: str) -> bool:
    """Say whether `who` may filter, sort, group or count by the column: only what is clear to him somewhere."""
    return any(access(who, table, area, column) == "clear" for area in AREAS)


def countable(who: str, table: str, area: str) -> bool:
    """Say whether the row may enter a number that `who` is told: people too, in numbers of `k` or more."""
    if not shared(who, table):
        return False
    classes = held(who, table)["classes"]
    if TABLES[table]["people"] and "personal" in classes:
        return row_is_there(who, table, area)
    return covers(classes["public"][1], table, area)


def exact(who: str, table: str) -> bool:
    """Say whether places of the table are told as they are."""
    kind = "people" if TABLES[table]["people"] else TABLES[table]["share"]
    return kind in held(who, table)["exact"]


def smallest(who: str, table: str) -> int:
    """Give the least number of people a sum may tell of."""
    return held(who, table).get("k", 0) if TABLES[table]["people"] else 0


def layer_is_there(who: str, layer: str) -> bool:
    """Say whether `who` may know of the layer; all layers are the land department's."""
    grant = GRANTS[who]
    return LAYERS[layer] in grant["layers"] and layer in grant.get("keyed", LAYERS)
