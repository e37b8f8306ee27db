"""On which line of a TOML text each key stands; the only reader of TOML that remembers lines (tomllib forgets them)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]\}\s#]+(?:[ \t][0-9][^,\]\}\s#]*)?")
_BLANK = re.compile(r"(?:\s|#[^\n]*)+")
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\\n])*"'),
    re.compile(r"'[^'\n]*'"),
)


@dataclass
class _Scanner:
    """Walk a TOML text that tomllib has accepted, and note the line of every key, table and array element."""

    text: str
    at: int = 0
    lines: dict[Path, int] = field(default_factory=dict)
    counts: dict[Path, int] = field(default_factory=dict)

    def line(self) -> int:
        """Give the 1-based line of the present position."""
        return self.text.count("\n", 0, self.at) + 1

    def blank(self) -> None:
        """Step over white space and comments."""
        found = _BLANK.match(self.text, self.at)
        if found:
            self.at = found.end()

    def string(self) -> str | None:
        """Step over a string and give its content undecoded, or None where none begins here."""
        for form in _STRINGS:
            found = form.match(self.text, self.at)
            if found:
                self.at = found.end()
                return found.group().strip("\"'")
        return None

    def key(self) -> Path:
        """Step over a dotted key."""
        parts: list[str | int] = []
        while True:
            self.blank()
            quoted = self.string()
            if quoted is None:
                bare = _BARE.match(self.text, self.at)
                if bare is None:
                    return tuple(parts)
                quoted, self.at = bare.group(), bare.end()
            parts.append(quoted)
            self.blank()
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def value(self, path: Path) -> None:
        """Step over a value, noting what it holds under `path`."""
        self.blank()
        if self.string() is not None:
            return
        if self.text.startswith("[", self.at):
            self._array(path)
        elif self.text.startswith("{", self.at):
            self._inline(path)
        else:
            found = _SCALAR.match(self.text, self.at)
            self.at = found.end() if found else self.at + 1

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self.at < len(self.text):
            self.blank()
            if self.text.startswith("]", self.at):
                self.at += 1
                return
            self.lines[(*path, index)] = self.line()
            self.value((*path, index))
            index += 1
            self._comma()

    def _inline(self, path: Path) -> None:
        self.at += 1
        while self.at < len(self.text):
            self.blank()
            if self.text.startswith("}", self.at):
                self.at += 1
                return
            self.pair(path)
            self._comma()

    def _comma(self) -> None:
        self.blank()
        if self.text.startswith(",", self.at):
            self.at += 1

    def pair(self, path: Path) -> None:
        """Step over `key = value`."""
        line = self.line()
        full = path + self.key()
        for end in range(len(path) + 1, len(full) + 1):
            self.lines.setdefault(full[:end], line)
        self.at = self.text.find("=", self.at) + 1
        self.value(full)

    def header(self) -> Path:
        """Step over `[table]` or `[[table]]`, and give the path it opens."""
        line, many = self.line(), self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        names = self.key()
        self.at += 2 if many else 1
        path: Path = ()
        for depth, name in enumerate(names):
            path = (*path, name)
            if many and depth == len(names) - 1:
                self.counts[path] = self.counts.get(path, 0) + 1
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        self.lines[path] = line
        return path


def positions(text: str) -> dict[Path, int]:
    """Give the line of every key path; `text` must be valid TOML.

    A path is the keys and array indices from the root: ("resource", 0, "field", 3, "name").
    """
    scanner, table = _Scanner(text), ()
    while True:
        scanner.blank()
        if scanner.at >= len(text):
            return scanner.lines
        if text.startswith("[", scanner.at):
            table = scanner.header()
        else:
            scanner.pair(table)


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Give the line of `path`, or of the nearest thing that encloses it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)
