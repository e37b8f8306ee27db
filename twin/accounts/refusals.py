"""What somebody is told who is not signed in: the same words whatever was wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.errors import SignInRefused

if TYPE_CHECKING:
    from datetime import timedelta


def refused() -> SignInRefused:
    """Give the one refusal of every wrong sign-in."""
    return SignInRefused(
        "登录名、密码或动态口令不对，或账号已停用", "The name, password or code is wrong, or the account is shut"
    )


def refuse_while(waiting: timedelta) -> None:
    """Raise SignInRefused, with the seconds to wait, where there are any."""
    if waiting:
        seconds = -(-int(waiting.total_seconds() * 10) // 10) or 1
        raise SignInRefused(
            f"试错次数过多，请 {seconds} 秒后再试", f"Too many tries; wait {seconds} seconds", wait_s=seconds
        )
