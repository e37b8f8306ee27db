"""A staged delivery against its contract, in SQL: every row ends in exactly one place, with all its reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl import amending
from etl.checks import FIFTEEN, NAMED_PATTERNS, NAMED_RULES, PRECIOUS, SCIENTIFIC
from etl.reasons import SEPARATOR
from twin import duck
from twin.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twin.model import CodeSystem, Field, Resource

STAGED = "staged"
"""The relation that is judged: `_seq` BIGINT (order in the sources), `_note` VARCHAR[] (reasons met while reading),
`_repair` VARCHAR, `year` INTEGER, the declared columns, and `area_m2` where the kind is polygon."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule as SQL: true where a row breaks it; `values` are bound in order. It is never NULL."""

    rule: str
    column: str
    sql: str
    values: tuple[Any, ...] = ()

    @property
    def reason(self) -> str:
        """Give the staged reason "rule|column"."""
        return f"{self.rule}{SEPARATOR}{self.column}" if self.column else self.rule


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of the rows of one delivery; `read` = published + quarantined + duplicates + erased, always.

    `erased` rows are held out because their person was erased; `emptied` ones are published without personal values.
    """

    read: int
    published: int
    quarantined: int
    duplicates: int
    repaired: int
    rules: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)
    erased: int = 0
    emptied: int = 0

    def ledger(self) -> dict[str, int]:
        """Give the five counts of the row ledger, and those of erased people where there are any."""
        counts = {k: getattr(self, k) for k in ("read", "published", "quarantined", "duplicates", "repaired")}
        return counts | {k: n for k in ("erased", "emptied") if (n := getattr(self, k))}


def rules(resource: Resource) -> list[Rule]:
    """Give the rules of every field; a NULL breaks no rule but `required`."""
    return [rule for item in resource.fields for rule in _field_rules(item, resource)]


def _field_rules(item: Field, resource: Resource) -> list[Rule]:
    column = duck.quote(item.name)
    found: list[Rule] = []

    def add(rule: str, sql: str, *values: Any) -> None:
        found.append(Rule(rule=rule, column=item.name, sql=sql, values=values))

    if item.required or item.name == resource.key:
        note = duck.literal(f"type_unreadable{SEPARATOR}{item.name}")
        unread = f"list_contains(_note, {note})"
        add("required_missing", f"{column} IS NULL AND NOT COALESCE({unread}, false)")
    measured = f"year({column})" if item.type in ("date", "datetime") else column
    if item.minimum is not None:
        add("below_minimum", f"COALESCE({measured} < ?, false)", item.minimum)
    if item.maximum is not None:
        add("above_maximum", f"COALESCE({measured} > ?, false)", item.maximum)
    if item.not_before:
        add("before_other", f"COALESCE({column} < {duck.quote(item.not_before)}, false)")
    if item.above is not None:
        stated = item.name == resource.stated_area and item.above == 0
        add("area_not_positive" if stated else "not_above", f"COALESCE({column} <= ?, false)", item.above)
    if item.length is not None and item.type == "string":
        add("too_long", f"COALESCE(length({column}) > ?, false)", item.length)
    found += _pattern(item, column) if item.pattern else []
    if item.type == "string" and not item.pattern and (item.name == resource.key or item.meaning in PRECIOUS):
        add("id_damaged", f"COALESCE(regexp_full_match({column}, ?), false)", SCIENTIFIC)
    if item.code_system:
        known = f"{column} IN (SELECT code FROM codes WHERE system = ?)"
        add("code_unknown", f"COALESCE(NOT {known}, false)", item.code_system)
        gone = f"{column} IN (SELECT code FROM codes WHERE system = ? AND abolished)"
        add("code_abolished", f"COALESCE({gone}, false)", item.code_system)
    return found


def _pattern(item: Field, column: str) -> list[Rule]:
    text = f"CAST({column} AS VARCHAR)"
    if item.pattern.startswith("@"):
        check = NAMED_PATTERNS.get(item.pattern)
        if check is None:
            raise ContractError(
                f"没有名为 {item.pattern} 的检验", f"There is no check called {item.pattern}", field=item.name
            )
        rule = NAMED_RULES.get(item.pattern, "id_damaged")
        wrong = f"{text} IS NOT NULL AND NOT COALESCE({check.format(c=text)}, false)"
        if item.pattern != "@gb11643":
            return [Rule(rule=rule, column=item.name, sql=wrong)]
        old = f"COALESCE(regexp_full_match({text}, ?), false)"
        return [
            Rule(rule="id_fifteen", column=item.name, sql=old, values=(FIFTEEN,)),
            Rule(rule=rule, column=item.name, sql=f"{wrong} AND NOT {old}", values=(FIFTEEN,)),
        ]
    lost = f"COALESCE(regexp_full_match({text}, ?), false)"
    wrong = f"COALESCE(NOT regexp_full_match({text}, ?), false)"
    return [
        Rule(rule="id_damaged", column=item.name, sql=lost, values=(SCIENTIFIC,)),
        Rule(
            rule="pattern",
            column=item.name,
            sql=f"{wrong} AND NOT {lost}",
            values=(item.pattern.removeprefix("^").removesuffix("$"), SCIENTIFIC),
        ),
    ]


OUTCOME = "CREATE OR REPLACE TEMP TABLE outcome (_seq BIGINT, place VARCHAR, reasons VARCHAR[])"
JUDGE = """
INSERT INTO outcome
SELECT _seq, 'quarantined', reasons FROM (
  SELECT _seq, CASE WHEN COALESCE(list_contains(_note, 'totals_row'), false) THEN ['totals_row'] ELSE
    list_distinct(list_filter(list_concat(COALESCE(_note, CAST([] AS VARCHAR[])), [{cases}]),
      lambda r: r IS NOT NULL)) END AS reasons
  FROM staged WHERE _seq NOT IN (SELECT _seq FROM outcome))
WHERE len(reasons) > 0
"""
HELD_OUT = "held_out"
"""The table of rows whose person was erased: `_seq`, and `whole` where the row goes rather than its values."""
HOLD_OUT = "INSERT INTO outcome SELECT _seq, 'erased', CAST([] AS VARCHAR[]) FROM held_out WHERE whole"
KEEP_NO_RAW = """
UPDATE outcome SET place = 'erased', reasons = CAST([] AS VARCHAR[])
WHERE place = 'quarantined' AND _seq IN (SELECT _seq FROM held_out)
"""
"""A quarantined row is kept as it was received; that of an erased person is not kept."""
EMPTIED = "SELECT count(*) FROM held_out WHERE _seq NOT IN (SELECT _seq FROM outcome)"
REPEATED = """
CREATE OR REPLACE TEMP TABLE repeated AS
SELECT {key} AS k, year AS y FROM staged WHERE _seq NOT IN (SELECT _seq FROM outcome)
GROUP BY ALL HAVING count(*) > 1
"""
DUPLICATES = """
INSERT INTO outcome
SELECT _seq,
  CASE WHEN payload = first_payload THEN 'duplicate' ELSE 'quarantined' END,
  CASE WHEN payload = first_payload THEN CAST([] AS VARCHAR[]) ELSE [?] END
FROM (
  SELECT _seq, payload,
    first_value(payload) OVER w AS first_payload,
    row_number() OVER w AS nth
  FROM (
    SELECT _seq, s.{key} AS k, s.year AS y, md5(CAST(({payload}) AS VARCHAR)) AS payload
    FROM staged s JOIN repeated r ON s.{key} = r.k AND s.year IS NOT DISTINCT FROM r.y
    WHERE _seq NOT IN (SELECT _seq FROM outcome))
  WINDOW w AS (PARTITION BY k, y ORDER BY _seq))
WHERE nth > 1
"""
COUNTS = "SELECT place, count(*), count(DISTINCT _seq) FROM outcome GROUP BY place"
READ = "SELECT count(*) FROM staged"
GOOD = "SELECT {columns} FROM staged ANTI JOIN outcome USING (_seq)"
REPAIRS = """
SELECT repair, count(*) FROM (SELECT unnest(string_split(_repair, ',')) AS repair FROM staged ANTI JOIN outcome
USING (_seq) WHERE _repair IS NOT NULL) GROUP BY repair ORDER BY repair
"""
REPAIRED = "SELECT count(*) FROM staged ANTI JOIN outcome USING (_seq) WHERE _repair IS NOT NULL"
BY_RULE = """
SELECT split_part(reason, '|', 1) AS rule, count(*) FROM (SELECT unnest(reasons) AS reason FROM outcome
WHERE place = 'quarantined') GROUP BY rule ORDER BY count(*) DESC, rule
"""
DISAGREES = "SELECT count(*) FROM staged ANTI JOIN outcome USING (_seq) WHERE area_disagrees"


def judge(
    connection: duck.Connection,
    resource: Resource,
    code_systems: Sequence[CodeSystem],
    payload: Sequence[str],
    *,
    held_out: bool = False,
    accepted: bool = False,
) -> Verdict:
    """Judge the relation `staged`: leave a table `outcome` (_seq, place, reasons) of every row that is not published.

    `payload` names the columns in which two rows with one key must agree to be the same row delivered twice; with
    `held_out` or `accepted` (rows taken in spite of rules) there is a table of that name. Raises ContractError where
    the balance read = published + quarantined + duplicates + erased does not hold.
    """
    _register_codes(connection, code_systems)
    connection.execute(OUTCOME)
    if held_out:
        connection.execute(HOLD_OUT)
    found = rules(resource)
    cases = ", ".join(f"CASE WHEN {r.sql} THEN {duck.literal(r.reason)} END" for r in found)
    connection.execute(JUDGE.format(cases=cases or "NULL"), [v for r in found for v in r.values])
    if accepted:
        amending.forgive(connection)
    if resource.key:
        _judge_duplicates(connection, resource, payload)
    if held_out:
        connection.execute(KEEP_NO_RAW)
    return _balance(connection, resource, emptied=_number(connection, EMPTIED) if held_out else 0)


def _judge_duplicates(connection: duck.Connection, resource: Resource, payload: Sequence[str]) -> None:
    key = duck.quote(resource.key)
    connection.execute(REPEATED.format(key=key))
    if not _number(connection, "SELECT count(*) FROM repeated"):
        return
    row = ", ".join(duck.quote(c) for c in payload)
    reason = f"duplicate_key{SEPARATOR}{resource.key}"
    connection.execute(DUPLICATES.format(key=key, payload=f"row({row})"), [reason])


def _balance(connection: duck.Connection, resource: Resource, *, emptied: int = 0) -> Verdict:
    read = _number(connection, READ)
    counts: dict[str, int] = {}
    for place, rows, distinct in connection.execute(COUNTS).fetchall():
        counts[place] = rows
        if rows != distinct:
            raise unbalanced(resource, f"{place}: {rows} != {distinct}")
    published = _number(connection, GOOD.format(columns="count(*)"))
    verdict = Verdict(
        read=read,
        published=published,
        quarantined=counts.get("quarantined", 0),
        duplicates=counts.get("duplicate", 0),
        repaired=_number(connection, REPAIRED),
        rules=dict(connection.execute(BY_RULE).fetchall()),
        repairs=dict(connection.execute(REPAIRS).fetchall()),
        warnings={"area_mismatch": _number(connection, DISAGREES)} if resource.stated_area else {},
        erased=counts.get("erased", 0),
        emptied=emptied,
    )
    balance(verdict, resource)
    return verdict


def balance(verdict: Verdict, resource: Resource) -> None:
    """Raise ContractError unless read = published + quarantined + duplicates + erased."""
    if verdict.read != verdict.published + verdict.quarantined + verdict.duplicates + verdict.erased:
        raise unbalanced(resource, str(verdict.ledger()))


def unbalanced(resource: Resource, what: str) -> ContractError:
    """Give the error of a ledger that does not balance."""
    return ContractError(
        f"{resource.title.zh}的行数对不上账,未发布:{what}。这是程序错误,请报告",
        f"The row ledger of {resource.title.en} does not balance, nothing is published: {what}. Please report this",
        resource=resource.id,
    )


def _register_codes(connection: duck.Connection, systems: Sequence[CodeSystem]) -> None:
    rows = [(s.id, c.code, c.abolished) for s in systems for c in s.codes]
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    types = (pa.string(), pa.string(), pa.bool_())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    connection.register("codes_given", pa.table(arrays, names=["system", "code", "abolished"]))
    connection.execute("CREATE OR REPLACE TEMP TABLE codes AS SELECT * FROM codes_given")
    connection.unregister("codes_given")


def _number(connection: duck.Connection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
