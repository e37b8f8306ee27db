"""What runs inside the throw-away process: limits itself, makes one file anew, says what it is and gives its bytes.

The file comes on standard input. What goes out is one line of JSON, then the bytes of the new file.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

from twin import caged
from twin.errors import UploadRefused

MAKERS = {"photo": "twin.uploads.photo", "workbook": "twin.uploads.workbook"}


def main() -> int:
    """Limit, give up the network, make the file anew; gives the exit code."""
    caged.limit(json.loads(sys.argv[1]))
    caged.socketless()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not enter the answer
    made, told = _made(sys.argv[2])
    out.write(json.dumps(told).encode() + b"\n" + made)
    out.flush()
    return 0


def _made(kind: str) -> tuple[bytes, dict[str, object]]:
    maker = importlib.import_module(MAKERS[kind])  # imported under the limits
    try:
        with os.fdopen(0, "rb") as file:
            return maker.remake(file)
    except UploadRefused as refused:
        return b"", {"refused": refused.where["why"]}
    except (MemoryError, RecursionError):
        return b"", {"refused": "slow"}


if __name__ == "__main__":
    sys.exit(main())
