"""Grants are declared, proved with file, line, field and remedy, and hold as written: first match, denial, no rule is deny."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.matrix import village
from twin.errors import DeclarationError, NeedsPurpose, NotFound
from twin.model import Text
from twin.policy import ANONYMOUS, ANONYMOUS_LOCAL, ENGINE, LOCAL_ONLY, ROLES, Policy, Subject, grants
from twin.policy.grants import Denial, Grants

ROOT = Path(__file__).resolve().parents[1]
DECLARED = ROOT / "data" / "grants.toml"
WHY = Text("因为", "because")


@pytest.fixture(scope="module")
def declared() -> Grants:
    return grants.read(DECLARED)


def test_every_role_is_declared_and_local_is_what_it_always_was(declared: Grants) -> None:
    assert [r.id for r in declared.roles] == list(ROLES)
    assert list(declared.of("local")) == list(LOCAL_ONLY.of("local"))
    assert LOCAL_ONLY.version == 0
    for name in ("security_admin", "auditor"):
        assert list(declared.of(name)) == []


def test_who_manages_sees_no_data_and_nobody_both_grants_and_reads_the_record(declared: Grants) -> None:
    may = {r.id: set(r.may) for r in declared.roles}
    assert [r for r, m in may.items() if "grants.change" in m] == ["security_admin"]
    assert [r for r, m in may.items() if "audit.read" in m] == ["auditor"]
    policy = Policy(village.onemap(), declared)
    assert policy.may(Subject(id="a", role="security_admin"), "grants.change")
    assert not policy.may(Subject(id="a", role="auditor"), "grants.change")
    assert not policy.may(Subject(id="a", role="no_such_role"), "grants.change")


@pytest.mark.parametrize("role", ROLES)
def test_no_role_ever_sees_a_sensitive_value_clear_nor_a_personal_one_without_a_purpose(
    declared: Grants, role: str
) -> None:
    for grant in declared.of(role):
        assert grant.columns.get("personal") in (None, "masked")
        assert "sensitive" not in grant.columns
        assert grant.with_purpose.get("sensitive") in (None, "masked")


FAULTS = {
    "version = 2": ("version = 0", "version", "Versions begin at 1"),
    'id = "planner"\ntitle': ('id = "planer"\ntitle', "role.5.id", "no role planer"),
    'role = "planner" ': ('role = "planer" ', "grant.6.role", "no role planer"),
    'columns = { public = "clear" }\nprecision_m = { unconditional = 0.0, conditional = 100.0': (
        'columns = { public = "masked" }\nprecision_m = { unconditional = 0.0, conditional = 100.0', "grant.0.columns.public", "not masked"),
    'layers = ["open"]': ('layers = ["everything"]', "grant.0.layers.0", "not an allowed value"),
    'area = { internal = "prefix", personal = "grid" }': ('area = { internal = "province" }', "grant.2.area.internal", "not an allowed value"),
    'with_purpose = { personal = "clear", sensitive = "masked" }\npurposes = ["visit"': (
        'with_purpose = { personal = "clear", sensitive = "clear" }\npurposes = ["visit"', "grant.3.with_purpose.sensitive", "never clear"),
    'purposes = ["quality"]': ('purposes = ["curiosity"]', "grant.4.purposes.0", "no purpose curiosity"),
    'purposes = ["visit", "relief", "emergency", "verification"]': ("", "grant.3.purposes", "go together"),
    "smallest_count = 10\nmax_rows = 1_000": ("smallest_count = 9\nmax_rows = 1_000", "grant.0.smallest_count", "fewer than 10"),
    "max_rows = 1_000": ("max_rows = 0", "grant.0.max_rows", "must be positive"),
    "max_km2 = 25.0": ("max_km2 = 0.0", "grant.0.max_rows", "must be positive"),
    ", persons = 1000.0 }": (" }", "grant.0.precision_m", "must be stated"),
    "conditional = 100.0,": ("conditional = -1.0,", "grant.0.precision_m", "must be stated"),
    'columns = { public = "clear", internal = "clear", personal = "masked" }': (
        'columns = { public = "clear", internal = "clear", personal = "clear" }', "grant.2.columns.personal", "for a purpose only"),
    'columns = { public = "clear", internal = "clear", personal = "masked" }\narea': (
        'columns = { public = "clear", sensitive = "masked" }\narea', "grant.2.columns.sensitive", "for a purpose only"),
    'columns = { public = "clear" }': ('columns = { public = "clear", state-secret = "clear" }', "grant.0.columns.state-secret", "State secrets"),
    'columns = { public = "clear", internal = "clear" }': ('columns = { public = "clear", secret = "clear" }', "grant.5.columns.secret", "no class secret"),
    'with_purpose = { personal = "clear", sensitive = "masked" }\npurposes = ["quality"]': (
        'with_purpose = { personal = "clear", state-secret = "masked" }\npurposes = ["quality"]', "grant.4.with_purpose.state-secret", "State secrets"),
    'area = { internal = "prefix" }': ('area = { secret = "prefix" }', "grant.5.area.secret", "no class secret"),
    'departments = "own"\n': ("", "grant.5", "never reached"),
    'may = ["audit.read", "audit.export"]': ('may = ["audit.erase"]', "role.8.may.0", "not an allowed value"),
    '[[grant]]\nrole = "anonymous"': ('[[grant]]\nscope = "x"\nrole = "anonymous"', "grant.0.scope", "Unknown key"),
    '# [[deny]]\n# role = "*"\n# tables = ["…"]\n# because = { zh = "…", en = "…" }': (
        '[[deny]]\nrole = "*"\nbecause = { zh = "z", en = "e" }', "deny.0", "does not say what is denied"),
    '# [[deny]]\n# role = "*"\n# tables = ["…"]\n': ('[[deny]]\nrole = "x"\nlayers = ["L01"]\nbecause = { zh = "z", en = "e" }\n', "deny.0.role", "no role x"),
    '# [[deny]]\n# role = "*"\n# tables = ["…"]\n# ': ('[[deny]]\nrole = "*"\nclasses = ["state-secret"]\nbecause = { zh = "z", en = "e" } # ', "deny.0.classes.state-secret", "State secrets"),
}  # fmt: skip


@pytest.mark.parametrize("found", FAULTS)
def test_a_fault_is_refused_with_its_file_line_field_and_remedy(tmp_path: Path, found: str) -> None:
    text = DECLARED.read_text(encoding="utf-8")
    written, field, said = FAULTS[found]
    assert found in text
    path = tmp_path / "grants.toml"
    path.write_text(text.replace(found, written, 1), encoding="utf-8")
    _, faults = grants.check(path)
    fault = next(f for f in faults if f.field == field)
    assert said in fault.en
    assert fault.file == str(path)
    assert fault.line >= 1
    assert (fault.line == 1) == (text[: text.index(found)].count("\n") == 0)
    assert all((fault.zh, fault.remedy_zh, fault.remedy_en))
    assert written.startswith("may") <= (len(faults) == 1)  # what cannot be built is not asked whether it is sound
    with pytest.raises(DeclarationError) as refused:
        grants.read(path)
    assert f"{path}:{fault.line} {field}" in refused.value.zh
    assert fault.remedy_en in refused.value.en
    assert refused.value.where["file"] == str(path)


def test_a_version_that_was_given_out_has_the_content_it_had_then(declared: Grants) -> None:
    given_out = json.loads((ROOT / "tests" / "released" / "grants.json").read_text("utf-8"))
    content = tomllib.loads(DECLARED.read_text("utf-8"))
    del content["version"]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    assert given_out.get(str(declared.version), digest) == digest, "raise `version` in data/grants.toml with the change"
    assert declared.version >= max(map(int, given_out))


def test_sound_grants_have_no_fault_and_a_version_that_names_their_content(tmp_path: Path, declared: Grants) -> None:
    assert grants.check(DECLARED)[1] == []
    assert len(declared.digest) == 16
    assert declared.digest == grants.read(DECLARED).digest
    assert declared.digest != replace(declared, version=declared.version + 1).digest
    assert grants.check(tmp_path / "nothing.toml")[0] is None
    path = tmp_path / "grants.toml"
    path.write_text('version = 1\ngrant = "all"', encoding="utf-8")
    assert {"Write [[grant]]"} <= {f.en for f in grants.check(path)[1]}


def test_a_role_missing_or_declared_twice_is_a_fault(tmp_path: Path) -> None:
    text = DECLARED.read_text(encoding="utf-8")
    path = tmp_path / "grants.toml"
    block = '[[role]]\nid = "resident"\ntitle = { zh = "村民", en = "Resident" }\n'
    for wrong in (text.replace(block, ""), text.replace(block, block * 2)):
        path.write_text(wrong, encoding="utf-8")
        assert [f.field for f in grants.check(path)[1]] == ["role"]


APART = {
    '"keys.manage"]': ('"keys.manage", "audit.read"]', "role.7.may", "both manage rights and read the record"),
    '"audit.read", "audit.export"]': ('"audit.read", "accounts.manage"]', "role.8.may", "both manage rights"),
    'role = "anonymous"  ': ('role = "security_admin"  ', "grant.0.role", "sees no data"),
    'role = "planner"  ': ('role = "auditor"  ', "grant.6.role", "sees no data"),
    'may = ["runs.start", ': ('may = ["audit.export", ', "grant.7.role", "sees no data"),
}


@pytest.mark.parametrize("found", APART)
def test_managing_rights_reading_the_record_and_seeing_data_cannot_be_given_to_one_role(found: str) -> None:
    text = DECLARED.read_text(encoding="utf-8")
    written, field, said = APART[found]
    assert found in text
    _, faults = grants.check_text(text.replace(found, written, 1), "grants.toml")
    assert said in next(f for f in faults if f.field == field).en


def denied(declared: Grants, **what: object) -> Policy:
    denial = Denial(**{"role": "*", "because": WHY, **what})
    return Policy(village.onemap(), replace(declared, denials=(denial,)))


def test_a_denial_beats_every_grant_for_the_roles_and_things_it_names_and_no_other(declared: Grants) -> None:
    official, engineer = village.subject("official with a purpose"), village.subject("data_engineer")
    table = denied(declared, tables=("thing",))
    assert not table.sees(official, "thing")
    assert table.sees(official, "shop")
    assert table.sees(official, "M2")
    layer = denied(declared, layers=("M2",))
    assert not layer.sees(official, "M2")
    assert layer.sees(official, "M1")
    assert layer.sees(official, "thing")
    column = denied(declared, tables=("thing",), columns=("memo",))
    assert column.sees(official, "thing")
    assert "memo" not in column.decide(official, "select", "thing").columns
    assert "memo" in column.decide(official, "select", "shop").columns
    assert "label" in column.decide(official, "select", "thing").columns
    everywhere = denied(declared, columns=("memo",))
    assert "memo" not in everywhere.decide(official, "select", "shop").columns
    classes = denied(declared, classes=("personal",))
    assert "keeper_name" not in classes.decide(official, "select", "thing").columns
    assert "id_card" in classes.decide(official, "select", "thing").columns
    assert classes.decide(official, "select", "thing").audit == "unmask"
    one = denied(declared, role="official", tables=("thing",))
    assert not one.sees(official, "thing")
    assert one.sees(engineer, "thing")
    assert not denied(declared, tables=("thing",), columns=("row_id",)).sees(official, "thing")
    assert not denied(declared, tables=("thing",), columns=("id",)).sees(official, "thing")


def test_what_is_adopted_holds_from_the_next_question_on(declared: Grants) -> None:
    policy = Policy(village.onemap(), declared)
    before = policy.decide(ANONYMOUS, "select", "shop")
    assert policy.decide(ANONYMOUS, "select", "shop") is before
    policy.adopt(replace(declared, grants=(), version=declared.version + 1))
    assert policy.grants.version == declared.version + 1
    with pytest.raises(NotFound):
        policy.decide(ANONYMOUS, "select", "shop")
    assert Policy(village.onemap()).layers(ANONYMOUS) == ()
    assert len(Policy(village.onemap()).layers(ANONYMOUS_LOCAL)) == 4


def test_the_purpose_of_the_session_counts_and_one_of_another_role_does_not(declared: Grants) -> None:
    policy = Policy(village.onemap(), declared)
    official = village.subject("official")
    assert policy.decide(replace(official, purpose="visit"), "select", "home").columns["keeper_name"] == "clear"
    assert policy.decide(replace(official, purpose="quality"), "select", "home").columns["keeper_name"] == "masked"
    assert policy.decide(official, "select", "home", "visit").columns["id_card"] == "masked"
    planner = replace(village.subject("planner"), purpose="visit")
    assert "keeper_name" not in policy.decide(planner, "select", "thing").columns


def test_a_column_that_a_purpose_would_open_says_so_and_names_the_purposes(declared: Grants) -> None:
    policy = Policy(village.onemap(), declared)
    official = village.subject("official")
    for column, action in (("id_card", "select"), ("keeper_name", "filter"), ("keeper_phone", "sort")):
        with pytest.raises(NeedsPurpose) as wanted:
            policy.columns(official, "home", [column], action)
        assert wanted.value.where["purposes"] == "visit relief emergency verification"
        assert "入户走访、救助与优抚" in wanted.value.zh
        assert "Home visit (visit), Relief and allowances (relief)" in wanted.value.en
    assert policy.columns(replace(official, purpose="visit"), "home", ["keeper_name"], "filter") == ("keeper_name",)
    assert policy.decide(replace(official, purpose="visit"), "filter", "home").for_purpose == frozenset()


def test_limits_and_masking_are_those_of_the_grant(declared: Grants) -> None:
    policy = Policy(village.onemap(), declared)
    permit = policy.decide(village.subject("official"), "select", "home")
    assert (permit.max_rows, permit.max_km2, permit.masks) == (10_000, 25.0, "part")
    assert permit.areas == (village.CODES["own"],)
    assert policy.decide(village.subject("data_engineer"), "select", "home").masks == "token"
    assert policy.decide(village.subject("anonymous"), "select", "shop").areas == ()
    thing = policy.decide(village.subject("grid_worker"), "select", "thing")
    assert thing.areas == (village.CODES["own"], f"{village.CODES['own']}007")
    assert permit.resource == "home"


def test_values_are_revealed_by_mask_token_or_not_at_all(declared: Grants) -> None:
    policy = Policy(village.onemap(), declared)
    row = {
        "id": "1",
        "keeper_name": "张三丰",
        "id_card": "330521199001010103",
        "note": "x",
        "memo": None,
        "label": None,
    }
    seen = policy.reveal(village.subject("official"), "home", [row])[0]
    assert seen == {"id": "1", "keeper_name": "张**", "memo": None, "label": None}
    elsewhere = policy.reveal(village.subject("official"), "thing", [{**row, "keeper_name": None}])[0]
    assert elsewhere == {"id": "1", "label": None}
    purposeful = policy.reveal(village.subject("official with a purpose"), "home", [row])[0]
    assert purposeful["keeper_name"] == "张三丰"
    assert purposeful["id_card"] == "330***********0103"
    tokens = policy.reveal(village.subject("data_engineer"), "home", [row, {**row, "keeper_name": "李四"}, row])
    names = [t["keeper_name"] for t in tokens]
    assert names[0] == names[2] != names[1]
    assert all(n.startswith("t_") and len(n) == 18 for n in names)
    assert policy.reveal(village.subject("data_engineer"), "home", [{"keeper_name": None}]) == [{"keeper_name": None}]


def test_what_cannot_be_built_is_left_out_of_what_is_given(tmp_path: Path) -> None:
    path = tmp_path / "grants.toml"
    path.write_text(DECLARED.read_text(encoding="utf-8").replace("scoped = true", "scoped = 1"), encoding="utf-8")
    found, faults = grants.check(path)
    assert [f.field for f in faults] == ["grant.8.scoped"]
    assert found is not None
    assert None not in found.grants
    assert len(found.grants) == 9


def test_a_role_and_a_purpose_are_found_by_their_id(declared: Grants) -> None:
    assert [r.id for r in map(declared.role, ("auditor", "planner")) if r] == ["auditor", "planner"]
    assert declared.role("nobody") is None
    assert [p.id for p in map(declared.purpose, ("relief", "visit")) if p] == ["relief", "visit"]
    assert declared.purpose("curiosity") is None


def test_a_grant_clears_people_with_a_purpose_or_without(declared: Grants) -> None:
    by_role = {g.role: g for g in declared.grants if g.departments == "all"}
    assert by_role["official"].clears_people()
    assert not by_role["planner"].clears_people()
    assert replace(by_role["planner"], columns={"personal": "clear"}).clears_people()


def test_the_permit_of_a_layer_limits_nothing_and_is_recorded_nowhere(declared: Grants) -> None:
    policy = Policy(village.onemap(), declared)
    permit = policy.decide(village.subject("official"), "tile", "M2")
    assert not permit.limited
    assert (permit.audit, permit.smallest_count, permit.max_rows, permit.masks) == ("none", 0, 0, "part")
    other = policy.decide(village.subject("official"), "tile", "M1")
    assert permit.digest != other.digest
    assert len(permit.digest) == 16


def photographed(declared: Grants) -> Policy:
    onemap = village.onemap()
    photo = replace(onemap.departments[0].resources[0], id="photo", kind="raster", key="", fields=(), area_field="")
    layer = replace(
        onemap.layers[1], draws=(*onemap.layers[1].draws, replace(onemap.layers[1].draws[0], table="photo"))
    )
    land = replace(onemap.departments[0], resources=(*onemap.departments[0].resources, photo))
    return Policy(replace(onemap, departments=(land, onemap.departments[1]), layers=(layer,)), declared)


def test_a_photograph_has_no_rows_and_is_whole_where_it_lies_or_not_there(declared: Grants) -> None:
    policy = photographed(declared)
    for who in ("resident", "official", "planner", "system", "local"):
        permit = policy.decide(village.subject(who), "tile", "photo")
        assert (permit.rows, dict(permit.only)) == ((), {})
    for who in ("nobody", "anonymous", "auditor"):
        assert not policy.sees(village.subject(who), "photo")
    elsewhere = replace(village.subject("system"), scopes=("layer:M2:read", "area:330522"))
    assert not policy.sees(elsewhere, "photo")
    assert policy.sees(elsewhere, "M2")
    assert policy.sees(replace(elsewhere, scopes=("layer:M2:read",)), "photo")
    assert not policy.sees(replace(elsewhere, scopes=("area:330521",)), "photo")
    without = [replace(g, columns={"internal": "clear"}) for g in declared.grants if g.role == "planner"]
    assert not photographed(replace(declared, grants=tuple(without))).sees(village.subject("planner"), "photo")


@pytest.mark.parametrize(
    ("scopes", "columns"),
    [
        (("layer:M3:read:label",), {"id", "label"}),
        (("layer:M3:read:label,memo", "layer:M3:read:keeper_name"), {"id", "label", "memo", "keeper_name"}),
        (("layer:M3:read:",), {"id"}),
        (("layer:M3:read", "layer:M3:read:label"), None),
        (("layer:M3:readable",), ()),
        (("layer:M3",), ()),
        (("layer:M2:read",), ()),
        ((), ()),
    ],
)
def test_a_key_reads_the_columns_its_scopes_name_and_no_other(
    declared: Grants, scopes: tuple, columns: set | None
) -> None:
    policy = Policy(village.onemap(), declared)
    key = replace(village.subject("system"), scopes=scopes)
    if columns == ():
        assert not policy.sees(key, "plot")
        assert not policy.sees(key, "M3")
        return
    found = set(policy.decide(key, "select", "plot").columns)
    everything = set(policy.decide(replace(key, scopes=("layer:M3:read",)), "select", "plot").columns)
    assert found == (everything if columns is None else columns)
    assert {"label", "memo", "year", "_row"} <= everything


def test_a_table_or_layer_is_given_to_whoever_sees_it_and_is_unknown_to_others(declared: Grants) -> None:
    policy = Policy(village.onemap(), declared)
    assert policy.resource(village.subject("resident"), "thing").id == "thing"
    assert policy.layer(village.subject("resident"), "M2").id == "M2"
    for who, table, layer in (("anonymous", "thing", "M2"), ("resident", "home", "M3"), ("local", "nothing", "M9")):
        with pytest.raises(NotFound):
            policy.resource(village.subject(who), table)
        with pytest.raises(NotFound):
            policy.layer(village.subject(who), layer)


def test_an_action_nobody_declared_is_denied(declared: Grants) -> None:
    policy = Policy(village.onemap(), declared)
    for name in ("thing", "M2"):
        with pytest.raises(NotFound):
            policy.decide(ANONYMOUS_LOCAL, "export", name)  # type: ignore[arg-type]


def test_a_subject_holds_nothing_it_is_not_given() -> None:
    bare = Subject(id="a", role="b")
    assert bare.held == ("b", "", "", "", "", ())
    assert bare.via == "none"
    assert (ANONYMOUS.id, ANONYMOUS.role, ANONYMOUS_LOCAL.id) == ("anonymous", "anonymous", "local")
    assert set(ROLES) >= {"anonymous", "local", "system"}


def test_the_engines_own_columns_have_the_classes_they_have() -> None:
    public = {c for c, sensitivity in ENGINE.items() if sensitivity == "public"}
    assert public == {"year", "area_m2", "length_m", "area_disagrees"}
    assert set(ENGINE) - public == {"_resource", "_run", "_source", "_source_sha256", "_row"}
    assert set(ENGINE.values()) == {"public", "internal"}


DENIAL = '\n[[deny]]\nrole = "planner"\nbecause = { zh = "z", en = "e" }\n'


@pytest.mark.parametrize(
    "more",
    [
        *(f'{DENIAL}{key} = ["x"]\n' for key in ("layers", "tables", "columns")),
        f'{DENIAL}classes = ["personal"]\n',
        DENIAL.replace("planner", "*") + 'tables = ["x"]\n',
    ],
)
def test_a_denial_of_any_one_kind_is_sound(tmp_path: Path, more: str) -> None:
    path = tmp_path / "grants.toml"
    path.write_text(DECLARED.read_text(encoding="utf-8") + more, encoding="utf-8")
    assert grants.check(path)[1] == []


@pytest.mark.parametrize(
    ("found", "written"),
    [
        ("max_rows = 1_000", "max_rows = 1"),
        ("max_km2 = 25.0", "max_km2 = 0.5"),
        ('columns = { public = "clear" }', 'columns = { internal = "clear" }'),
        ("smallest_count = 10", "smallest_count = 11"),
        ("conditional = 100.0", "conditional = 0.0"),
    ],
)
def test_what_is_just_allowed_is_sound(tmp_path: Path, found: str, written: str) -> None:
    path = tmp_path / "grants.toml"
    path.write_text(DECLARED.read_text(encoding="utf-8").replace(found, written, 1), encoding="utf-8")
    assert grants.check(path)[1] == []


def test_a_personal_value_shown_clear_is_recorded_as_such_without_any_sensitive_one(declared: Grants) -> None:
    policy = denied(declared, classes=("sensitive",))
    assert policy.decide(village.subject("official with a purpose"), "select", "thing").audit == "unmask"
    assert policy.decide(village.subject("official"), "select", "thing").audit == "read"


def test_a_tile_names_its_rows_even_by_a_key_that_is_internal(declared: Grants) -> None:
    onemap = village.onemap()
    land = onemap.departments[0]
    thing = next(r for r in land.resources if r.id == "thing")
    policy = Policy(replace(onemap, departments=(replace(land, resources=(replace(thing, key="memo"),)),)), declared)
    permit = policy.decide(village.subject("official"), "tile", "thing")
    assert "id" in permit.columns
    assert "memo" not in permit.columns
    assert permit.rows == (("area_code", "prefix", (village.CODES["own"],)),)
    assert not policy.sees(village.subject("resident"), "thing")
