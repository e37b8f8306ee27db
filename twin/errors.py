"""Every way the one-map refuses, one sentence each; the only module that defines our exceptions."""

from __future__ import annotations


class TwinError(Exception):
    """Carry one refusal a person can act on, in Chinese and in English.

    `zh` and `en` each say what is wrong and what to do about it; `where` names the place as far as it is known
    (file, sheet, row, column, field), so that a clerk finds it without asking.
    """

    code = "error"

    def __init__(self, zh: str, en: str, **where: object) -> None:
        super().__init__(f"{zh} / {en}" + "".join(f" [{k}={v}]" for k, v in where.items()))
        self.zh = zh
        self.en = en
        self.where = {k: str(v) for k, v in where.items()}


class DeclarationError(TwinError):
    """A declaration (village, catalogue, layer, code list) cannot be proved; names file, line, field and remedy."""

    code = "declaration"


class SettingError(TwinError):
    """A setting is missing or contradicts another; nothing starts until it is mended."""

    code = "setting"


class SourceError(TwinError):
    """A delivered file as a whole cannot be read (missing part, wrong kind, hostile, unreadable encoding)."""

    code = "source"


class CrsError(TwinError):
    """A coordinate reference system is absent, contradictory, or reachable only by a guess of PROJ ("ballpark")."""

    code = "crs"


class ContractError(TwinError):
    """A delivery broke the contract as a whole (columns gone, ledger out of balance, gate held)."""

    code = "contract"


class NotFound(TwinError):
    """What was asked for is not there, or must look as though it were not."""

    code = "not_found"


class NotYetKnown(NotFound):
    """At the moment asked about, nothing of this table had been published yet; says since when there is something."""

    code = "not_yet_known"


class VersionGone(NotFound):
    """The version asked about was published and is no longer kept; says why, and which kept one is nearest."""

    code = "version_gone"


class Refused(TwinError):
    """The policy says no."""

    code = "refused"


class NeedsPurpose(Refused):
    """What is asked for may be had for a purpose, and none of those that count was named."""

    code = "needs_purpose"


class AreaLimit(Refused):
    """More ground would be delivered in a year than one person or key may be given; says how much, and whom to ask."""

    code = "area_limit"


class RowLimit(Refused):
    """One answer would tell of more rows of a table than whoever asks may be told of at once."""

    code = "row_limit"


class UploadQuota(Refused):
    """One person would send in, or keep, more files than one may; says how much, how much is used, and until when."""

    code = "upload_quota"


class BadRequest(TwinError):
    """A request's values are outside what the route accepts."""

    code = "bad_request"


class UploadRefused(BadRequest):
    """A file that was sent in is not taken; says why and what to send instead."""

    code = "upload"


class StoreBroken(TwinError):
    """A published file is missing or is not the bytes its manifest names; nothing of it is served."""

    code = "store_broken"


class PublishConflict(TwinError):
    """Another publish of the same table came first; this one must start again from the new parent."""

    code = "publish_conflict"


class StoreFull(TwinError):
    """The disk has no room for what is being published; the version before still serves."""

    code = "store_full"


class OpsDown(TwinError):
    """The operational store is full, locked, read-only or away; nothing was written, and it may be tried again."""

    code = "ops_down"


class AuditDown(OpsDown):
    """The record cannot be written; what must be recorded is not done, what is public goes on."""

    code = "audit_down"


class SignInRefused(TwinError):
    """Nobody was signed in; the words are the same for a wrong name, a wrong password, a wrong code, a shut account."""

    code = "sign_in"


class TooMany(TwinError):
    """More was asked in a short time than one person, key or address may; `where` says when to try again."""

    code = "too_many"


class ProviderDown(TwinError):
    """The identity provider does not answer as it should; local accounts and open sessions go on."""

    code = "provider_down"
