"""What makes a number that names a person or a thing a valid one: the checks that a pattern alone cannot express."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ID_WEIGHTS = "[7,9,10,5,8,4,2,1,6,3,7,9,10,5,8,4,2]"
NAMED_PATTERNS: Mapping[str, str] = {
    # GB 11643-1999: 17 digits and a check character, ISO 7064 MOD 11-2
    "@gb11643": "regexp_full_match(upper({c}), '[1-9][0-9]{{16}}[0-9X]') AND substr('10X98765432', CAST(1 + list_sum("
    "list_transform(range(1, 18), lambda i: COALESCE(TRY_CAST(substr({c}, i, 1) AS INTEGER), 0) * "
    + _ID_WEIGHTS
    + "[i])) % 11 AS BIGINT), 1) = upper(substr({c}, 18, 1)) "
    # its second part is a day on which somebody can have been born, its first two digits a province
    "AND COALESCE(try_strptime(substr({c}, 7, 8), '%Y%m%d') BETWEEN TIMESTAMP '1880-01-01' AND today(), false) "
    "AND regexp_matches({c}, '^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91)')",
    # ISO/IEC 7812-1: 12 to 19 digits whose Luhn sum is divisible by ten
    "@bank_card": "regexp_full_match({c}, '[1-9][0-9]{{11,18}}') AND "
    "list_sum(list_transform(range(1, 1 + length({c})), lambda i: "
    "CASE WHEN (length({c}) - i) % 2 = 1 THEN (2 * TRY_CAST(substr({c}, i, 1) AS INTEGER)) % 10 + "
    "(2 * TRY_CAST(substr({c}, i, 1) AS INTEGER)) // 10 ELSE TRY_CAST(substr({c}, i, 1) AS INTEGER) END)) % 10 = 0",
    # GA 36-2018: a province, a letter, five or six signs (no I, O), the last perhaps a word
    "@plate": "regexp_full_match({c}, '[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领]"
    "[A-HJ-NP-Z]·?([A-HJ-NP-Z0-9]{{5,6}}|[A-HJ-NP-Z0-9]{{4}}[挂学警港澳])')",
}
NAMED_RULES: Mapping[str, str] = {"@plate": "plate_invalid", "@bank_card": "card_invalid"}
"""The rule that such a check proves, where it is not that of a damaged identity number."""
FIFTEEN = "[1-9][0-9]{14}"
"""Identity numbers of before 1999, which name a person no longer."""
PRECIOUS = ("id_card", "phone", "bank_card", "plate")
"""Meanings whose values are numbers only to look at."""
"""Checks that a regular expression cannot express, by the name a field's `pattern` gives."""
SCIENTIFIC = "[0-9](\\.[0-9]+)?[eE]\\+?[0-9]{1,3}"
"""What a spreadsheet makes of a long number; its digits are lost."""
