"""What strangers write into fields: one list for each kind of mischief, ours; the first of each is tried everywhere."""

from __future__ import annotations

from collections.abc import Mapping

HARMLESS = "zzqx-7261"
"""A value that is nothing's name: what any payload must be answered like."""

SQL = (
    "' OR '1'='1",
    '" OR ""="',
    "1 OR 1=1",
    "x'; DROP TABLE account; --",
    "x'); DELETE FROM audit; --",
    "' UNION SELECT * FROM duckdb_settings() --",
    "' UNION ALL SELECT NULL,NULL,NULL --",
    "1; ATTACH '/tmp/wall.duckdb' AS w; --",
    "'; COPY (SELECT 1) TO '/tmp/wall.csv'; --",
    "' AND (SELECT count(*) FROM read_csv('/etc/passwd')) > 0 --",
    "'||(SELECT pg_sleep(9))||'",
    "1 AND randomblob(900000000)",
    "' AND 1=(SELECT count(*) FROM range(100000000000)) --",
    "id DESC, (SELECT 1)",
    'label"; --',
    "%' ESCAPE '",
    "_______%",
    "\\'; SELECT 1; --",
    "0x27204f5220313d31",
    "/**/OR/**/1=1#",
    "admin'--",
    "thing WHERE 1=1",
)
PATHS = (
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "//etc/passwd",
    "file:///etc/passwd",
    "data/run/ops.sqlite",
    "thing/../../grants.toml",
    "..;/..;/record",
    "/proc/self/environ",
    "C:\\boot.ini",
    "\\\\host\\share",
)
BYTES = ("a\x00b", "\x00", "%00", "thing\x00.mvt", "\x1b[2J\x1b[31m", "\x7f\x08\x08", "\ufeff", "\ufffe\uffff")
LINES = (
    "x\r\nSet-Cookie: a=b",
    "x\nX-Wall: 1",
    "%0d%0aX-Wall:%201",
    "x\r\n\r\n<script>1</script>",
    "\u560a\u560dX-Wall: 1",
    "x\u2028y\u2029z",
    "x\x0b\x0c\x85y",
)
FORMATS = (
    "%s%s%s%n%n",
    "%p%x%d%08x",
    "{0}{1}{a}",
    "{0.__class__.__mro__}",
    "{self.__init__.__globals__}",
    "%(password)s",
    "$VAR ${HOME}",
    "{",
    "}",
    "{{",
)
TEMPLATES = (
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{{config.items()}}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
    "${jndi:ldap://127.0.0.1/a}",
    "@description@",
    "@first@",
    '<!--#exec cmd="id"-->',
)
SHELL = ("; id", "| id", "`id`", "$(id)", "& ping -c 9 127.0.0.1 &", "|| sleep 9", "\nid\n", "() { :;}; echo wall")
DIRECTORY = (
    "*)(uid=*))(|(uid=*",
    "*",
    "admin)(&)",
    "*)(objectClass=*",
    "x' or '1'='1' or ''='",
    "//user[name/text()='a']",
)
LONG = ("A" * 5_000, "9" * 5_000, "%" * 3_000, "\u6751" * 2_000, "(" * 3_000, "[" * 3_000, "-" * 3_000 + "1")
UNICODE = (
    "\u202ecod.exe",
    "\u0130\u0131\ufb01\u212a",
    "\uff07 \uff2f\uff32 \uff071\uff07=\uff071",
    "ａｄｍｉｎ",
    "e\u0301" * 200,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u0e47" * 300,
    "\U000e0001\U000e0041",
    "\ufdfd\ufdfa" * 50,
    "\u200b\u200c\u200d\u2060",
    "\ue000\U0002a6d6",
)
NUMBERS = (
    "-1",
    "0",
    "1e999",
    "NaN",
    "-Infinity",
    "0x10",
    "1_000",
    "٣",
    "１",
    "99999999999999999999",
    "1.5",
    "+1",
    " 1",
    "",
)
MARKUP = (
    "<script>alert(7261)</script>",
    '"><img src=x onerror=alert(7261)>',
    "javascript:alert(7261)",
    "</script><svg/onload=alert(7261)>",
    "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
)

LISTS: Mapping[str, tuple[str, ...]] = {
    "sql": SQL, "paths": PATHS, "bytes": BYTES, "lines": LINES, "formats": FORMATS, "templates": TEMPLATES,
    "shell": SHELL, "directory": DIRECTORY, "long": LONG, "unicode": UNICODE, "numbers": NUMBERS, "markup": MARKUP,
}  # fmt: skip
FEW = (
    "'; DROP TABLE account; --\" {{7*7}}$(id)",
    "../../etc/passwd",
    "a\x00b\r\nX-Wall: 1",
    "%s%n{0.__class__}*)(uid=*",
    "\u6751\uff07\u202e\u0130" * 1_000,
    "-1e999",
)
"""One of each kind, or several in one: what every place is tried with in a normal run."""
ALL = tuple(dict.fromkeys(p for listed in LISTS.values() for p in listed))
SAYS = (
    "Traceback (most recent", 'File "/', "site-packages", "Binder Error", "Parser Error", "Catalog Error",
    "Conversion Error", "Invalid Input Error", "sqlite3.", "duckdb.", "sqlalchemy", "psycopg", "IntegrityError",
    "werkzeug", "starlette", "pydantic", "root:x:0", "PRAGMA", "FROM thing", "thing__", "alembic",
)  # fmt: skip
"""What no answer may tell, whatever was asked: traces, paths, the words of databases, files of the machine."""
