"""Who may see what: one policy that every route, layer, table, column and row passes through."""

from twin.policy import areas, delivered, grants, sight, small_numbers
from twin.policy.classified import DEEPEST, ENGINE, VECTOR_TYPES, class_of, columns_of, drawn_columns, faults
from twin.policy.grants import LOCAL_ONLY, Capability, Grants
from twin.policy.judging import Action, Permit
from twin.policy.masks import mask
from twin.policy.routes import CLOSED, DASH, ROUTES, RoutePolicy, of_page
from twin.policy.rules import Policy, no_column, unknown
from twin.policy.shown import view
from twin.policy.subject import ANONYMOUS, ANONYMOUS_LOCAL, ROLES, Subject

__all__ = [
    "ANONYMOUS",
    "ANONYMOUS_LOCAL",
    "CLOSED",
    "DASH",
    "DEEPEST",
    "ENGINE",
    "LOCAL_ONLY",
    "ROLES",
    "ROUTES",
    "VECTOR_TYPES",
    "Action",
    "Capability",
    "Grants",
    "Permit",
    "Policy",
    "RoutePolicy",
    "Subject",
    "areas",
    "class_of",
    "columns_of",
    "delivered",
    "drawn_columns",
    "faults",
    "grants",
    "mask",
    "no_column",
    "of_page",
    "sight",
    "small_numbers",
    "unknown",
    "view",
]
