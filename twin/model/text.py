"""What a person reads, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """One thing a person reads, in both languages."""

    zh: str
    en: str

    def in_(self, language: str) -> str:
        """Give the wording for `language` ("zh-CN" or "en")."""
        return self.en if language.startswith("en") else self.zh


UNSAID = Text("", "")
"""No words."""
