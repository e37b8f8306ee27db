"""What a clerk is told of a delivered file that a reader will not take; one sentence a case, for every reader."""

from __future__ import annotations

from twin.errors import SourceError


def refused(name: str, zh: str, en: str, **where: str) -> SourceError:
    """Give the refusal of the file `name`: `zh` and `en` say why, and what to do before it is delivered again."""
    return SourceError(
        f"“{name}”未接收：{zh}后重报。", f"“{name}” is refused: {en}, and deliver it again.", file=name, **where
    )


def mistaken(name: str, wanted: str, found: str = "") -> SourceError:
    """Give the sentence for content that is not `wanted`, as its name says, but `found` as far as that is known."""
    of_zh, of_en = (f"(实为 {found})", f" (it is {found})") if found else ("", "")
    return SourceError(
        f"“{name}”的内容不是 {wanted} 文件{of_zh}，名称与内容不符，未打开。请报送单位确认文件并重新导出。",
        f"The content of “{name}” is not {wanted}{of_en}: name and content differ, so it was not opened. "
        "Export it again.",
        file=name,
    )


def damaged(name: str, said: str = "") -> SourceError:
    """Give the sentence for a file that does not decode; `said` is what the library said, in one line."""
    why = f"({said})" if said else ""
    return SourceError(
        f"“{name}”不能读取，文件损坏或不完整{why}。请报送单位重新导出后再报。",
        f"“{name}” cannot be read; it is damaged or incomplete{f' {why}' if why else ''}. "
        "Ask the sender to export it again.",
        file=name,
    )


def cut_short(name: str, read_rows: int, stated: int) -> SourceError:
    """Give the sentence for a file that states more features than it holds."""
    return SourceError(
        f"“{name}”声明有 {stated} 个图形，只读到 {read_rows} 个，文件被截断。请报送单位重新导出后再报。",
        f"“{name}” states {stated} features but only {read_rows} can be read; it was cut off. Export it again.",
        file=name,
    )


def too_many_vertices(name: str, row: str, most: int) -> SourceError:
    """Give the sentence for a feature of more than `most` vertices."""
    return SourceError(
        f"“{name}”第 {row} 个图形的顶点超过 {most} 个，已拒收。请报送单位抽稀或拆分该图形。",
        f"Feature {row} of “{name}” has more than {most} vertices; refused. Simplify or split it.",
        file=name,
        row=row,
    )
