"""What the installer says, in Chinese and in English; the only place where its words are."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "not_a_bundle": ("{path} 不是安装包", "{path} is not a bundle"),
    "unsafe": ("安装包里有不允许的内容:{name}", "The bundle holds something it may not: {name}"),
    "unlisted": ("安装包里多出未登记的文件:{name}", "The bundle holds a file that is not listed: {name}"),
    "missing": ("安装包缺少文件:{name}", "The bundle lacks a file: {name}"),
    "changed": ("文件与登记的校验和不符:{name}", "A file is not what its checksum says: {name}"),
    "unsigned": (
        "安装包没有签名,不能证明出自何处;确实要装请加 --unsigned",
        "The bundle is not signed, so nothing shows who made it; to install it all the same add --unsigned",
    ),
    "no_key": (
        "缺少发布公钥:用 --key 给出另行取得的 release.pub",
        "The publisher's key is missing: give the release.pub you got by another way, with --key",
    ),
    "bad_key": ("{path} 不是 ed25519 公钥(PEM)", "{path} is no ed25519 public key (PEM)"),
    "forged": (
        "签名与公钥不符:安装包被改动,或由别人签发。没有安装任何东西",
        "The signature is not by this key: the bundle was changed or made by somebody else. Nothing was installed",
    ),
    "signed": ("● 签名有效,{count} 个文件与校验和一致", "● The signature holds, {count} files are as listed"),
    "summed": ("▲ 没有签名;{count} 个文件与校验和一致", "▲ Not signed; {count} files are as listed"),
    "wrong_machine": (
        "安装包适用于 {wanted},本机为 {found}",
        "The bundle is for {wanted}; this machine is {found}",
    ),
    "need_root": (
        "需要以 root 运行;演练请加 --root 文件夹",
        "Run this as root; for a rehearsal add --root FOLDER",
    ),
    "no_current": ("这里还没有安装", "Nothing is installed here"),
    "no_previous": ("没有可退回的版本", "There is no version to go back to"),
    "other_content": (
        "版本 {version} 已安装,但内容与此安装包不同;请用新的版本号重新打包",
        "Version {version} is installed with other content; bundle it again under a version of its own",
    ),
    "already": ("● 版本 {version} 已就位", "● Version {version} is in place already"),
    "newer_here": (
        "已安装 {current};换版本请用 upgrade",
        "{current} is installed; to change the version use upgrade",
    ),
    "python_closed": (
        "服务用户 onemap 不能运行 {path}:请用系统自带的 Python 3.11(PYTHON=/usr/bin/python3.11)",
        "The service's user onemap cannot run {path}: use the system's Python 3.11 (PYTHON=/usr/bin/python3.11)",
    ),
    "packages": ("正在离线安装软件包 …", "Installing packages, offline ..."),
    "packages_failed": ("软件包安装失败:{said}", "Installing packages failed: {said}"),
    "settings_made": (
        "● 已生成 {path}(含新密钥,请另行保管一份)",
        "● {path} was made, with a new secret: keep a copy of it elsewhere",
    ),
    "admin": (
        "首位管理员 admin 的一次性密码(只显示这一次):\n  {password}",
        "One-time password of the first administrator, admin (shown this once):\n  {password}",
    ),
    "installed": ("● 已安装 {version}:{path}", "● {version} is installed: {path}"),
    "no_systemd": (
        "本机没有 systemd。启动:{command}",
        "There is no systemd here. To start: {command}",
    ),
    "healthy": ("● 服务正常:{address}", "● The service is well: {address}"),
    "ill": ("✖ 服务没有正常应答({address}):{said}", "✖ The service does not answer well ({address}): {said}"),
    "backing_up": ("正在备份 …", "Backing up ..."),
    "backup_failed": ("备份失败,没有升级:{said}", "The backup failed, so nothing was upgraded: {said}"),
    "upgraded": ("● 已从 {old} 升级到 {new}", "● Upgraded from {old} to {new}"),
    "gone_back": (
        "✖ {new} 没有通过健康检查,已退回 {old};数据未变",
        "✖ {new} did not pass its health check; {old} is back; the data is as it was",
    ),
    "restored": (
        "▲ {old} 读不了 {new} 改过的数据,已恢复升级前的备份 {backup}",
        "▲ {old} cannot read what {new} changed; the backup from before the upgrade is in place: {backup}",
    ),
    "both_ill": (
        "✖ {new} 与 {old} 都没有正常应答;升级前的备份在 {backup},请看 docs/operations.md",
        "✖ Neither {new} nor {old} answers well; the backup from before is {backup}; see docs/operations.md",
    ),
    "rolled_back": ("● 已从 {new} 退回 {old}", "● Went back from {new} to {old}"),
    "roll_refused": (
        "✖ {old} 读不了现在的数据,已留在 {new}。确实要退回:先停止服务,恢复升级前的备份,再执行 rollback",
        "✖ {old} cannot read the data as it is, so {new} stays. To go back: stop, restore the older backup, roll back",
    ),
    "pruned": ("已删除旧备份 {name}", "The old backup {name} was removed"),
    "bad_backups": ("保留的备份数至少为 2", "Keep two backups at least"),
    "started": ("● 已启动", "● Started"),
    "stopped": ("● 已停止", "● Stopped"),
    "running_already": ("● 已在运行", "● Running already"),
}


class Refused(Exception):
    """Something that is not done, said by one key of WORDS."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values

    def __str__(self) -> str:
        return both(self.key, **self.values)


def both(key: str, **values: object) -> str:
    """Give what `key` says, in Chinese and, below, in English."""
    zh, en = WORDS[key]
    return f"{zh.format(**values)}\n{en.format(**values)}"


def say(key: str, **values: object) -> None:
    """Print what `key` says."""
    print(both(key, **values), flush=True)
