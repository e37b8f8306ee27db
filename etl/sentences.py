"""What a clerk is told when the throw-away process ends otherwise than it should."""

from __future__ import annotations

import signal

from twin.errors import SourceError

_OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "memory allocation of", "Cannot allocate memory")


def died(name: str, code: int, said: str, cpu_seconds: int) -> SourceError:
    """Give the sentence for a child that ended with `code` after writing `said` to its standard error."""
    if code in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
        return too_slow(name, cpu_seconds)
    if any(word in said for word in _OUT_OF_MEMORY):
        return too_big(name)
    if code == 1 and "Traceback" in said:
        return our_fault(name, said.strip().splitlines()[-1][:200])
    return SourceError(
        f"读取“{name}”的进程意外退出({code})：文件已损坏或含恶意内容，其他数据不受影响。请报送单位重新导出后再报。",
        f"The process that read “{name}” died ({code}): the file is damaged or hostile; nothing else is affected. "
        "Ask the sender to export it again.",
        file=name,
    )


def our_fault(name: str, last: str) -> SourceError:
    """Give the sentence for a mistake of the reader itself; `last` is the last line it wrote."""
    return SourceError(
        f"读取“{name}”时读取程序自身出错({last})，文件未必有问题。请把这句话交给维护人员。",
        f"The reader itself failed on “{name}” ({last}); the file may be sound. Give this line to the maintainers.",
        file=name,
    )


def astray(name: str) -> SourceError:
    """Give the sentence for a child that sent what it was not asked for."""
    return SourceError(
        f"读取“{name}”的进程给出的内容与要求不符，已丢弃：文件可能含恶意内容。请报送单位重新导出后再报。",
        f"The process that read “{name}” sent what it was not asked for; it was thrown away: the file may be hostile. "
        "Ask the sender to export it again.",
        file=name,
    )


def silent(name: str) -> SourceError:
    """Give the sentence for a child that said nothing for too long."""
    return SourceError(
        f"读取“{name}”长时间没有进展，已停止。请检查文件是否损坏或过于复杂，拆分后重报。",
        f"Reading “{name}” made no progress and was stopped. See whether it is damaged or too intricate; split it.",
        file=name,
    )


def too_slow(name: str, seconds: int) -> SourceError:
    """Give the sentence for a child that used up its CPU seconds."""
    return SourceError(
        f"读取“{name}”超过 {seconds} 秒处理器时间，已停止(可能是压缩炸弹或异常复杂的文件)。请拆分或重新导出后再报。",
        f"Reading “{name}” took more than {seconds} s of CPU and was "
        "stopped (a bomb, or too intricate). Split or re-export.",
        file=name,
    )


def too_big(name: str) -> SourceError:
    """Give the sentence for a child that used up its memory."""
    return SourceError(
        f"读取“{name}”超过内存上限，已停止。请拆分文件，或删除多余的空行空列后再报。",
        f"Reading “{name}” went over its memory limit and was stopped. Split it, or remove empty rows and columns.",
        file=name,
    )
