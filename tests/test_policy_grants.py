"""Grants are declared, proved with file, line, field and remedy, and hold as written: first match, denial, no rule is deny."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.matrix import village
from twin.errors import DeclarationError, NeedsPurpose, NotFound
from twin.model import Text
from twin.policy import ANONYMOUS, ANONYMOUS_LOCAL, LOCAL_ONLY, ROLES, Policy, Subject, grants
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
    "version = 1": ("version = 0", "version", "Versions begin at 1"),
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
    with pytest.raises(DeclarationError) as refused:
        grants.read(path)
    assert f"{path}:{fault.line} {field}" in refused.value.zh
    assert fault.remedy_en in refused.value.en
    assert refused.value.where["file"] == str(path)


def test_sound_grants_have_no_fault_and_a_version_that_names_their_content(tmp_path: Path, declared: Grants) -> None:
    assert grants.check(DECLARED)[1] == []
    assert len(declared.digest) == 16
    assert declared.digest == grants.read(DECLARED).digest
    assert declared.digest != replace(declared, version=2).digest
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
    one = denied(declared, role="official", tables=("thing",))
    assert not one.sees(official, "thing")
    assert one.sees(engineer, "thing")
    assert not denied(declared, tables=("thing",), columns=("row_id",)).sees(official, "thing")
    assert not denied(declared, tables=("thing",), columns=("id",)).sees(official, "thing")


def test_what_is_adopted_holds_from_the_next_question_on(declared: Grants) -> None:
    policy = Policy(village.onemap(), declared)
    before = policy.decide(ANONYMOUS, "select", "shop")
    assert policy.decide(ANONYMOUS, "select", "shop") is before
    policy.adopt(replace(declared, grants=(), version=2))
    assert policy.grants.version == 2
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
