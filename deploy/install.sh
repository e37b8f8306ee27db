#!/bin/sh
# 在没有网络的机器上安装一张图 · install the one-map on a machine without a network.
#   sudo ./install.sh --key release.pub
# Python 3.11 is all it needs; PYTHON=/path/to/python3.11 names another one than the PATH's.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
python=${PYTHON:-python3.11}
command -v "$python" >/dev/null 2>&1 || {
    echo "未找到 Python 3.11($python);请用 PYTHON=… 指明" >&2
    echo "Python 3.11 was not found ($python); name it with PYTHON=..." >&2
    exit 1
}
PYTHONPATH="$here" exec "$python" -s -B -m machine "$@"
