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

    host: str = field(
        default="127.0.0.1",
        metadata={"doc": "The address served on; beyond the loopback only with TLS or a trusted proxy."},
    )
    port: int = field(default=8050, metadata={"doc": "The port served on."})
    data: Path = field(default=Path("data"), metadata={"doc": "Where raw/, store/, uploads/ and run/ lie."})
    village: Path = field(default=Path("data"), metadata={"doc": "The folder of village.toml, catalog/ and codes/."})
    tianditu_key: str = field(default="", metadata={"doc": "A Tianditu server key; empty means no Tianditu base map."})
    threads: int = field(default=2, metadata={"doc": "Worker threads that answer requests and compute tiles."})
    memory: str = field(default="2GB", metadata={"doc": "The memory limit of one DuckDB connection."})
    tile_cache_mb: int = field(default=256, metadata={"doc": "The size of the tile cache in memory, in MiB."})

    upload_day_count: int = field(default=100, metadata={"doc": "Files one person may send in any 24 hours."})
    upload_day_mb: int = field(default=300, metadata={"doc": "Megabytes one person may send in any 24 hours."})
    upload_count: int = field(default=2000, metadata={"doc": "Files one person may keep."})
    upload_mb: int = field(default=2000, metadata={"doc": "Megabytes one person may keep."})

    report_font: str = field(
        default="", metadata={"doc": "A font file with Chinese letters for PDF reports; empty looks for Noto Sans CJK."}
    )
    demo: bool = field(default=False, metadata={"doc": "1 for a demo on the loopback with one account per role."})
    debug: bool = field(default=False, metadata={"doc": "Must stay off: it is refused outside the demo."})
    secret: str = field(
        default="", metadata={"doc": "The house secret, 32 characters or more; the demo makes its own."}
    )
    secret_previous: str = field(
        default="",
        metadata={"doc": "House secrets used before, oldest first, comma-separated; they check old entries."},
    )
    ops_url: str = field(default="", metadata={"doc": "The operational database; empty means SQLite in run/."})
    origin: str = field(default="", metadata={"doc": "The address people type, as https://map.example.cn."})
    trusted_proxy: str = field(
        default="", metadata={"doc": "Addresses of the proxy whose X-Forwarded-For is believed, comma-separated."}
    )
    tls_cert: str = field(default="", metadata={"doc": "The certificate chain served with (PEM file)."})
    tls_key: str = field(default="", metadata={"doc": "The key of that certificate (PEM file)."})
    oidc_issuer: str = field(
        default="", metadata={"doc": "The OpenID provider's issuer; empty means local accounts only."}
    )
    oidc_client_id: str = field(default="", metadata={"doc": "Our name at that provider."})
    oidc_client_secret: str = field(
        default="", metadata={"doc": "Our secret at that provider; empty for a public client."}
    )
    oidc_algorithm: str = field(default="RS256", metadata={"doc": "The one algorithm its tokens may be signed with."})
    oidc_claim: str = field(default="roles", metadata={"doc": "The claim that holds a person's roles there."})
    oidc_area: str = field(
        default="area", metadata={"doc": "The claim that holds the code of a person's area or grid."}
    )
    oidc_roles: str = field(
        default="",
        metadata={"doc": "Which of its roles is which of ours: theirs=ours, comma-separated; first match wins."},
    )

    @property
    def store(self) -> Path:
        """Give the folder of published snapshots."""
        return self.data / "store"

    @property
    def older_secrets(self) -> tuple[str, ...]:
        """Give the house secrets used before, oldest first."""
        return tuple(s for s in self.secret_previous.split(",") if s)

    @property
    def ops_made(self) -> bool:
        """Say whether there is an operational store, without opening one."""
        return bool(self.ops_url) or (self.data / "run" / OPS_FILE).is_file()

    @property
    def raw(self) -> Path:
        """Give the folder of delivered files."""
        return self.data / "raw"


OPS_FILE = "ops.sqlite"
"""The name of the operational store in run/ where no other is set."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SHORTEST_SECRET = 32
YES, NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from `environ`; raises SettingError naming every variable that is wrong, at once."""
    defaults = Settings()
    values: dict[str, object] = {}
    wrong: list[str] = []
    for name, spec in Settings.__dataclass_fields__.items():
        text = environ.get(f"ONEMAP_{name.upper()}")
        if text is None:
            continue
        try:
            values[name] = _value(text, type(getattr(defaults, name)))
        except ValueError:
            wrong.append(f"ONEMAP_{name.upper()}={text!r} ({spec.metadata['doc']})")
    if wrong:
        raise SettingError("设置有误:" + "；".join(wrong), "Settings are wrong: " + "; ".join(wrong))
    return Settings(**values)  # type: ignore[arg-type]


def _value(text: str, kind: type) -> object:
    if issubclass(kind, bool):
        if text.lower() not in YES + NO:
            raise ValueError(text)
        return text.lower() in YES
    return Path(text) if issubclass(kind, Path) else kind(text)


def check_serving(settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Raise SettingError with every reason, at once, why a service with these settings may not start."""
    found = [text for wrong, text in _serving_faults(settings, environ) if wrong]
    if found:
        raise SettingError(
            "不能启动：" + "；".join(zh for zh, _ in found), "Cannot start: " + "; ".join(en for _, en in found)
        )


Faults = list[tuple[bool, tuple[str, str]]]


def _serving_faults(settings: Settings, environ: Mapping[str, str]) -> Faults:
    """Give (is it wrong, what to say in zh and en) of everything a service is asked before it starts."""
    open_to_others = settings.host not in LOOPBACK
    tls = bool(settings.tls_cert and settings.tls_key)
    half = bool(settings.tls_cert) != bool(settings.tls_key)
    mcp = environ.get("DASH_MCP_ENABLED", "").lower() not in NO
    always = [
        (half, ("ONEMAP_TLS_CERT 和 ONEMAP_TLS_KEY 要一起设置", "set ONEMAP_TLS_CERT and ONEMAP_TLS_KEY together")),
        (mcp, ("DASH_MCP_ENABLED 必须关闭", "DASH_MCP_ENABLED must be off")),
    ]
    if settings.demo:
        said = (
            "演示只在本机运行：去掉 ONEMAP_HOST，或关闭 ONEMAP_DEMO",
            "a demo runs on the loopback only: drop ONEMAP_HOST, or switch ONEMAP_DEMO off",
        )
        led_in = bool(settings.origin or settings.trusted_proxy)
        through = (
            "演示不能放在代理后面：去掉 ONEMAP_ORIGIN 和 ONEMAP_TRUSTED_PROXY",
            "a demo stands behind no proxy: drop ONEMAP_ORIGIN and ONEMAP_TRUSTED_PROXY",
        )
        return [*always, (open_to_others, said), (led_in, through)]
    reachable = open_to_others or bool(settings.trusted_proxy) or tls
    return [*always, *_secret_faults(settings), *_reach_faults(settings, open_to_others, tls, reachable)]


def _secret_faults(settings: Settings) -> Faults:
    secret = settings.secret
    plain = len(set(secret)) < 10 or any(w in secret.lower() for w in ("changeme", "secret", "password", "onemap"))
    short = (
        f"ONEMAP_SECRET 至少要 {SHORTEST_SECRET} 个字符（openssl rand -base64 48）",
        f"ONEMAP_SECRET needs {SHORTEST_SECRET} characters or more (openssl rand -base64 48)",
    )
    guessed = (
        "ONEMAP_SECRET 是默认的或容易猜到的，请换一个",
        "ONEMAP_SECRET is a default or easily guessed: take another",
    )
    return [
        (
            not secret,
            ("缺少 ONEMAP_SECRET；只想看演示请用 make run", "ONEMAP_SECRET is missing; for a demo use make run"),
        ),
        (bool(secret) and len(secret) < SHORTEST_SECRET, short),
        (len(secret) >= SHORTEST_SECRET and plain, guessed),
        (settings.debug, ("ONEMAP_DEBUG 必须关闭", "ONEMAP_DEBUG must be off")),
    ]


def _reach_faults(settings: Settings, open_to_others: bool, tls: bool, reachable: bool) -> Faults:  # noqa: FBT001
    named = (
        "缺少 ONEMAP_ORIGIN：大家使用的 https 地址",
        "ONEMAP_ORIGIN is missing: the https address that people use",
    )
    host = settings.host
    walled = (
        f"ONEMAP_HOST={host} 不是本机：设置证书(ONEMAP_TLS_CERT、ONEMAP_TLS_KEY)，或声明可信代理(ONEMAP_TRUSTED_PROXY)",
        f"ONEMAP_HOST={host} is not the loopback: give ONEMAP_TLS_CERT and ONEMAP_TLS_KEY, or ONEMAP_TRUSTED_PROXY",
    )
    oidc = bool(settings.oidc_issuer)
    half = oidc and not (settings.oidc_client_id and settings.oidc_roles and settings.origin)
    return [
        (open_to_others and not (tls or settings.trusted_proxy), walled),
        (reachable and not settings.origin.startswith("https://"), named),
        (
            half,
            (
                "ONEMAP_OIDC_ISSUER 还需要 ONEMAP_OIDC_CLIENT_ID、ONEMAP_OIDC_ROLES 和 ONEMAP_ORIGIN",
                "ONEMAP_OIDC_ISSUER also needs ONEMAP_OIDC_CLIENT_ID, ONEMAP_OIDC_ROLES and ONEMAP_ORIGIN",
            ),
        ),
        (
            oidc and settings.oidc_algorithm not in ("RS256", "PS256", "ES256", "EdDSA"),
            (
                "ONEMAP_OIDC_ALGORITHM 只能是 RS256、PS256、ES256 或 EdDSA",
                "ONEMAP_OIDC_ALGORITHM must be RS256, PS256, ES256 or EdDSA",
            ),
        ),
    ]
