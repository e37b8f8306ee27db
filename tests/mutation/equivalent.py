"""Faults that change no answer of the policy, each with why: (module, its line, what is done to it, why)."""

from __future__ import annotations

JOINT = "what parts are joined by before they are hashed: any joint does"
SENTENCE = "how a sentence for a person is set"
HUNDREDTHS = "cells are hundredths of a km²; rounding takes binary noise off, at the sixth place as at the seventh"
EQUIVALENT: tuple[tuple[str, str, str, str], ...] = (
    (
        "judging",
        "if sensitivity is None or (named is not None and column not in named) or self._denied(column, sensitivity):",
        "drop operand 0 of or",
        "no grant names the class None, so that an unclassified column has no access anyhow",
    ),
    ("judging", 'return hashlib.blake2b("|".join(parts).encode(), digest_size=8).hexdigest()', "text '|'", JOINT),
    ("rules", 'return hashlib.blake2b("|".join(parts).encode(), digest_size=8).hexdigest()', "text '|'", JOINT),
    ("rules", "self.edition = 0", "number 0", "an edition is told from others, never counted"),
    ("rules", "self.edition += 1", "number 1", "an edition is told from others, never counted"),
    (
        "grants",
        '"授权申报有误:\\n" + "\\n".join(f"{f.file}:{f.line} {f.field} {f.zh};{f.remedy_zh}" for f in found),',
        "text '\\n'",
        SENTENCE,
    ),
    (
        "grants",
        '"授权申报有误:\\n" + "\\n".join(f"{f.file}:{f.line} {f.field} {f.zh};{f.remedy_zh}" for f in found),',
        "text ';'",
        SENTENCE,
    ),
    (
        "grants",
        '"The grants are wrong:\\n" + "\\n".join(f"{f.file}:{f.line} {f.field} {f.en}; {f.remedy_en}" for f in found),',
        "text '\\n'",
        SENTENCE,
    ),
    (
        "grants",
        '"The grants are wrong:\\n" + "\\n".join(f"{f.file}:{f.line} {f.field} {f.en}; {f.remedy_en}" for f in found),',
        "text ':'",
        SENTENCE,
    ),
    (
        "sight",
        'yield _of(role.title, "其他部门", "of another department"), of_role(onemap, role.id, "-")',
        "text '-'",
        "any word that is no department's",
    ),
    ("delivered", "return round(len(some) * CELL_KM2, 6)", "number 6", HUNDREDTHS),
    ("delivered", "total = round((len(counts) + len(fresh)) * CELL_KM2, 6)", "number 6", HUNDREDTHS),
    (
        "delivered",
        "return Usage(km2=round(len(days) * CELL_KM2, 6), since=min(days, default=None))",
        "number 6",
        HUNDREDTHS,
    ),
    ("rules", "MOST_ANSWERS = 50_000", "number 50000", "how many answers are remembered is a matter of memory"),
    ("masks", "_TOKEN_KEY = secrets.token_bytes(32)", "number 32", "a key of a byte more"),
    ("small_numbers", 'whole = ("",)', "text ''", "any key that is no group's"),
)
