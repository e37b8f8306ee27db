"""Who is asking: local accounts, second factor, sessions, keys of other systems, and the provider's people."""

from twin.accounts.directory import Accounts, Came, SignedIn
from twin.accounts.keys import ApiKey
from twin.accounts.living import Known
from twin.accounts.people import ROLES, TWO_FACTORS, Account
from twin.accounts.sealing import house_secret
from twin.accounts.sessions import IDLE, LONGEST, Session

__all__ = [
    "IDLE",
    "LONGEST",
    "ROLES",
    "TWO_FACTORS",
    "Account",
    "Accounts",
    "ApiKey",
    "Came",
    "Known",
    "Session",
    "SignedIn",
    "house_secret",
]
