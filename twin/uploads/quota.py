"""How much one person may send in a day and keep in all, and the sentence that says how much is used; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from twin.errors import UploadQuota

if TYPE_CHECKING:
    from twin.settings import Settings

DAY = timedelta(hours=24)
MB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What one person may: files and bytes sent in any 24 hours, files and bytes kept."""

    day_count: int
    day_bytes: int
    count: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Used:
    """What one person has used: what was sent in the last 24 hours as (when, bytes), and what is kept."""

    sent: Sequence[tuple[datetime, int]] = ()
    count: int = 0
    bytes: int = 0

    @property
    def day_bytes(self) -> int:
        """Give the bytes sent in the last 24 hours."""
        return sum(size for _, size in self.sent)


def of(settings: Settings) -> Quota:
    """Give the quota that is set."""
    return Quota(
        day_count=settings.upload_day_count,
        day_bytes=settings.upload_day_mb * MB,
        count=settings.upload_count,
        bytes=settings.upload_mb * MB,
    )


def recent(lines: Iterable[tuple[datetime, int]], now: datetime) -> tuple[tuple[datetime, int], ...]:
    """Give what was sent in the last 24 hours, the oldest first."""
    return tuple(sorted(line for line in lines if now - line[0] < DAY))


def check(quota: Quota, used: Used, size: int, zone: str) -> None:
    """Raise UploadQuota where `size` bytes more would be too much: how much is used, the limit, and until when."""
    if used.count + 1 > quota.count or used.bytes + size > quota.bytes:
        said = {
            "used_count": used.count,
            "most_count": quota.count,
            "used_mb": _mb(used.bytes),
            "most_mb": _mb(quota.bytes),
        }
        raise UploadQuota(
            "您保存的文件已满：{used_count}/{most_count} 个、{used_mb}/{most_mb} MB；请先删除不用的再传".format(**said),
            "Your files are full: {used_count} of {most_count}, {used_mb} of {most_mb} MB; delete some and send "
            "again".format(**said),
            **said,
        )
    if len(used.sent) + 1 > quota.day_count or used.day_bytes + size > quota.day_bytes:
        again = _again(quota, used, size).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
        said = {
            "used_count": len(used.sent),
            "most_count": quota.day_count,
            "used_mb": _mb(used.day_bytes),
            "most_mb": _mb(quota.day_bytes),
            "again_at": again,
        }
        raise UploadQuota(
            "24 小时内已上传 {used_count}/{most_count} 个、{used_mb}/{most_mb} MB；{again_at} 之后可再传".format(
                **said
            ),
            "In 24 hours you have sent {used_count} of {most_count} files, {used_mb} of {most_mb} MB; send again "
            "after {again_at}".format(**said),
            **said,
        )


def _again(quota: Quota, used: Used, size: int) -> datetime:
    """Give when enough of the last 24 hours will have passed for `size` bytes."""
    left, held = len(used.sent), used.day_bytes
    for at, sent in used.sent:
        left, held = left - 1, held - sent
        if left + 1 <= quota.day_count and held + size <= quota.day_bytes:
            return at + DAY
    return used.sent[-1][0] + DAY


def _mb(size: int) -> str:
    return f"{size / MB:.1f}".removesuffix(".0")
