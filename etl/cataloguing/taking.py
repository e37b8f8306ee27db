"""How an imported catalogue becomes the village's: compared, proved as a whole, and only then written, file by file."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from etl import catalog
from etl.cataloguing import layout, toml_text
from twin import declared, durable
from twin.errors import BadRequest, DeclarationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twin.declared import Fault
    from twin.model import Department

_SERIAL = re.compile(r"/(\d{2})\d{4}$")
_AT = re.compile(r"^resource\.(\d+)\.?(?:field\.(\d+)\.?)?(.*)$")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an import would do to one department: resources by id."""

    department: str
    is_new: bool
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    is_renamed: bool

    @property
    def overwrites(self) -> bool:
        """Say whether something that is declared now would be another, or be gone."""
        return bool(self.changed or self.removed or self.is_renamed)


def compare(now: Sequence[Department], wanted: Sequence[Department]) -> tuple[Change, ...]:
    """Give what would change, department by department; departments the workbook does not name stay as they are."""
    known = {d.id: d for d in now}
    changes = (_change(known.get(d.id), d) for d in wanted)
    return tuple(c for c in changes if c.is_new or c.added or c.overwrites)


def _change(old: Department | None, new: Department) -> Change:
    before = {r.id: r for r in old.resources} if old else {}
    after = {r.id: r for r in new.resources}
    head = (new.title, new.provider_code, new.theme)
    return Change(
        department=new.id,
        is_new=old is None,
        added=tuple(i for i in after if i not in before),
        changed=tuple(i for i in after if i in before and after[i] != before[i]),
        removed=tuple(i for i in before if i not in after),
        is_renamed=old is not None and (old.title, old.provider_code, old.theme) != head,
    )


def take(
    folder: Path, now: Sequence[Department], wanted: Sequence[Department], *, replace: bool = False
) -> tuple[Change, ...]:
    """Write what is new or changed to `folder`/catalog, once the whole is proved; gives the changes.

    Raises BadRequest where something declared would be overwritten without `replace`, DeclarationError where the result
    cannot be proved; in both cases nothing is written.
    """
    changes = compare(now, wanted)
    if any(c.overwrites for c in changes) and not replace:
        listed = "、".join(i for c in changes for i in (*c.changed, *c.removed, *([c.department] * c.is_renamed)))
        raise BadRequest(
            f"导入会改写或删去已有申报,未导入:{listed}。核对后加 --replace",
            f"It would change or remove what is declared; nothing was imported: {listed}. Check it, then --replace",
        )
    texts = _texts(folder, [d for d in wanted if d.id in {c.department for c in changes}])
    folded = _folded(folder, wanted, {c.department for c in changes})
    with tempfile.TemporaryDirectory(prefix="onemap-catalogue-") as desk:
        _prove(folder, Path(desk), texts, wanted, folded)
    for path, text in texts.items():
        durable.write(path, text.encode())
    for path in folded:
        path.unlink()
    return changes


def _folded(folder: Path, wanted: Sequence[Department], changed: set[str]) -> list[Path]:
    """Give the files of single resources that go into the file of their department, which is written anew."""
    names = {r.id for d in wanted if d.id in changed for r in d.resources}
    names |= {r for d in wanted if d.id in changed for r in _added_to(folder, d.id)}
    return [p for p in sorted((folder / "catalog" / catalog.ADDED).glob("*.toml")) if p.stem in names]


def _added_to(folder: Path, department: str) -> list[str]:
    files = sorted((folder / "catalog" / catalog.ADDED).glob("*.toml"))
    return [p.stem for p in files if declared.load(p).table.get("department") == department]


def _texts(folder: Path, departments: Sequence[Department]) -> Mapping[Path, str]:
    """Give the file of each department: its own where it has one, else one under the number its codes name."""
    files = {p.stem[3:]: p for p in (folder / "catalog").glob("[0-9][0-9]_*.toml")}
    taken = {p.stem[:2] for p in files.values()}
    texts: dict[Path, str] = {}
    for department in departments:
        path = files.get(department.id)
        if path is None:
            number = _number(department, taken)
            taken.add(number)
            path = folder / "catalog" / f"{number}_{department.id}.toml"
        texts[path] = toml_text.of(department)
    return texts


def _number(department: Department, taken: set[str]) -> str:
    said = (m.group(1) for r in department.resources if (m := _SERIAL.search(r.code)))
    free = (f"{n:02d}" for n in range(1, 100))
    return next((n for n in (*said, *free) if n not in taken), "99")


def _prove(
    folder: Path, desk: Path, texts: Mapping[Path, str], wanted: Sequence[Department], folded: Sequence[Path]
) -> None:
    shutil.copytree(folder / "catalog", desk / "catalog")
    for path in folded:
        (desk / path.relative_to(folder)).unlink()
    for name in ("codes", "derived"):
        if (folder / name).is_dir():
            shutil.copytree(folder / name, desk / name)
    for name in ("village.toml", "responsibility.toml", "connections.toml"):
        if (folder / name).is_file():
            shutil.copy(folder / name, desk / name)
    for path, text in texts.items():
        (desk / "catalog" / path.name).write_text(text, "utf-8")
    found = catalog.check(desk)
    if found:
        said = [_said(fault, wanted) for fault in found]
        raise DeclarationError(
            "导入的目录不能成立,未导入:\n" + "\n".join(zh for zh, _ in said),
            "The imported catalogue does not hold; nothing was imported:\n" + "\n".join(en for _, en in said),
        )


def _said(fault: Fault, wanted: Sequence[Department]) -> tuple[str, str]:
    """Say a fault where its writer finds it: by sheet, resource, item and column."""
    office = next((d for d in wanted if Path(fault.file).stem[3:] == d.id), None)
    found = _AT.match(fault.field)
    if office is None or found is None or int(found[1]) >= len(office.resources):
        return f"{Path(fault.file).name} {fault.field} {fault.zh};{fault.remedy_zh}", f"{fault.field} {fault.en}"
    resource = office.resources[int(found[1])]
    sheet, row, names = layout.CATALOGUE, resource.id, layout.RESOURCE
    if found[2] is not None:
        sheet, row, names = layout.ITEMS, f"{resource.id} / {resource.fields[int(found[2])].name}", layout.FIELD
    column = names.get(found[3], found[3])
    return (
        f"{sheet} · {row} · {column}:{fault.zh};{fault.remedy_zh}",
        f"{sheet} · {row} · {column}: {fault.en}; {fault.remedy_en}",
    )
