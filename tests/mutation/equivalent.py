"""Faults that change no answer of the policy, each with why: (module, its line, what is done to it, why)."""

from __future__ import annotations

EQUIVALENT: tuple[tuple[str, str, str, str], ...] = ()
