"""`python -m deploy`: make the bundle; signed where BUNDLE_KEY names a private key, and loud where it does not."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from deploy import bundle
from deploy.machine import seal

LOUD = """
  ▲▲▲ 没有签名 · NOT SIGNED ▲▲▲
  谁都可以改动它而不留痕迹;install.sh 会拒绝它。Anybody can change it unseen; install.sh refuses it.
  openssl genpkey -algorithm ed25519 -out release.key; openssl pkey -in release.key -pubout -out release.pub
  BUNDLE_KEY=release.key make bundle
"""


def main() -> int:
    """Make dist/onemap-<version>.tar.gz and say what it is."""
    options = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    options.add_argument("--version", default=bundle.project_version())
    options.add_argument("--out", type=Path, default=bundle.ROOT / "dist")
    given = options.parse_args()
    if not re.fullmatch(r"[0-9][0-9A-Za-z.+-]{0,40}", given.version):
        sys.exit(f"--version {given.version!r}: digits, letters, '.', '+', '-'")
    key = os.environ.get("BUNDLE_KEY", "")
    if key and not Path(key).is_file():
        sys.exit(f"BUNDLE_KEY={key}: no such file")
    made = bundle.make(given.version, given.out, Path(key) if key else None)
    size = made.archive.stat().st_size / 2**20
    print(f"● {made.archive} · {size:.0f} MiB · {made.parts} parts · sha256 {seal.sha256(made.archive)}")
    if not made.signed:
        print(LOUD, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
