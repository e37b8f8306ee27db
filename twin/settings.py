"""Every setting of the one-map: name, default and one sentence; the only reader of ONEMAP_* variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from twin.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator may set; each field is read from ONEMAP_<NAME> in upper case."""

    host: str = field(default="127.0.0.1", metadata={"doc": "The address served on; loopback only until sign-in."})
    port: int = field(default=8050, metadata={"doc": "The port served on."})
    data: Path = field(default=Path("data"), metadata={"doc": "Where raw/, store/ and run/ lie."})
    village: Path = field(default=Path("data"), metadata={"doc": "The folder of village.toml, catalog/ and codes/."})
    tianditu_key: str = field(default="", metadata={"doc": "A Tianditu server key; empty means no Tianditu base map."})
    threads: int = field(default=2, metadata={"doc": "Worker threads that answer requests and compute tiles."})
    memory: str = field(default="2GB", metadata={"doc": "The memory limit of one DuckDB connection."})
    tile_cache_mb: int = field(default=256, metadata={"doc": "The size of the tile cache in memory, in MiB."})

    @property
    def store(self) -> Path:
        """Give the folder of published snapshots."""
        return self.data / "store"

    @property
    def raw(self) -> Path:
        """Give the folder of delivered files."""
        return self.data / "raw"


LOOPBACK = ("127.0.0.1", "::1", "localhost")


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from `environ`; raises SettingError naming every variable that is wrong, at once."""
    defaults = Settings()
    values: dict[str, object] = {}
    wrong: list[str] = []
    for name, spec in Settings.__dataclass_fields__.items():
        text = environ.get(f"ONEMAP_{name.upper()}")
        if text is None:
            continue
        kind = type(getattr(defaults, name))
        try:
            values[name] = Path(text) if issubclass(kind, Path) else kind(text)
        except ValueError:
            wrong.append(f"ONEMAP_{name.upper()}={text!r} ({spec.metadata['doc']})")
    if values.get("host", defaults.host) not in LOOPBACK:
        wrong.append(f"ONEMAP_HOST={values['host']!r}: there is no sign-in yet, so only the loopback is served")
    if wrong:
        raise SettingError("设置有误:" + "；".join(wrong), "Settings are wrong: " + "; ".join(wrong))
    return Settings(**values)  # type: ignore[arg-type]
