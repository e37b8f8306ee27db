"""Fixtures of more than one test module: the operational store on both of its databases."""

from __future__ import annotations

from tests.operating import empty_url, postgresql, store, url

__all__ = ["empty_url", "postgresql", "store", "url"]
