"""What the console says of retention and of a person's data, in Chinese and in English."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "account": ("账号", "Account"),
    "password": ("密码", "Password"),
    "code": ("验证码(没有就直接回车)", "Code (press return if you have none)"),
    "numbers": ("证件号、电话等号码,用逗号分开", "Numbers (identity card, phone, …), commas between"),
    "names": ("姓名", "Names"),
    "rows": (
        "确认属于本人的行 表:编号,用逗号分开(可不填)",
        "Rows made sure of, table:key, commas between (may be empty)",
    ),
    "hit": ("{mark} {place} {table} {row} 版本 {version}{old}", "{mark} {place} {table} {row} version {version}{old}"),
    "old": ("(旧版本)", " (superseded)"),
    "legend": (
        "● 号码相符  ◆ 已按行确认  ? 只有姓名相符,须核实后用 表:编号 写明",
        "● by number  ◆ by a row made sure of  ? by name only: make sure, then name it as table:key",
    ),
    "none": ("没有找到", "Nothing was found"),
    "exported": ("已导出 {rows} 行到 {path},SHA-256 {sha256}", "{rows} rows are in {path}, SHA-256 {sha256}"),
    "asked": (
        "请求 {id} 已记下,涉及 {rows} 行。由另一位有权者批准:onemap person approve {id}",
        "Request {id} is noted, for {rows} rows. Another with the right approves it: onemap person approve {id}",
    ),
    "waiting": (
        "{id}  {state}  {at}  号码 {numbers} 个,行 {rows} 个",
        "{id}  {state}  {at}  {numbers} numbers, {rows} rows",
    ),
    "state.asked": ("待批", "waiting"),
    "state.approved": ("已批准,未做完", "approved, not done"),
    "state.done": ("已完成", "done"),
    "state.withdrawn": ("已撤回", "withdrawn"),
    "working": ("… {what}", "… {what}"),
    "taken": ("已清除 {where}:{rows} 行", "Taken out of {where}: {rows} rows"),
    "clean": (
        "复查了 {files} 个文件的解码内容:0 处。证明:{path},SHA-256 {sha256}",
        "{files} files were searched, decoded: 0 occurrences. Certificate: {path}, SHA-256 {sha256}",
    ),
    "unclean": ("▲ 仍有 {count} 处:{where}", "▲ {count} occurrences are left: {where}"),
    "copy": ("留存到 {until}(UTC)后整份删除:{path}", "Kept until {until} (UTC), then removed whole: {path}"),
    "stays": ("留下:{what}", "What stays: {what}"),
    "due": ("{kind} {where} 期满于 {since},{count} 项", "{kind} {where} was over on {since}, {count}"),
    "nothing_due": ("没有期满的内容", "Nothing is past its time"),
    "dry": ("以上 {count} 项尚未删除;确认后加 --do", "These {count} still stand; to remove them add --do"),
    "ended": (
        "已删除 {count} 项,清单 {path},SHA-256 {sha256}",
        "{count} were removed; the list is {path}, SHA-256 {sha256}",
    ),
    "reapplied": ("已按删除名单清除 {count} 处", "{count} places were cleared of people who were erased"),
    "kind.version": ("旧版本", "superseded version"),
    "kind.thinned": ("超出保留数的旧版本", "version beyond those kept"),
    "kind.quarantine": ("隔离原文", "quarantined rows as received"),
    "kind.delivery": ("报送原件", "delivered file"),
    "kind.backup": ("备份", "backup"),
    "kind.session": ("会话", "sessions"),
    "kind.attempt": ("登录尝试", "tries to sign in"),
    "kind.archive": ("审计归档", "archive of the record"),
    "kind.upload": ("上传的文件", "file sent in"),
    "kind.ground": ("交付面积台账", "ledger of ground"),
}


def say(key: str, language: str, **values: object) -> str:
    """Give the wording of `key` in `language`."""
    return WORDS[key][language == "en"].format(**values)
