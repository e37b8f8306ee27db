"""Who may see what: one policy that every route, layer, table, column and row passes through."""

from twin.policy.masks import mask
from twin.policy.routes import CLOSED, DASH, ROUTES, RoutePolicy, of_page
from twin.policy.rules import (
    ANONYMOUS_LOCAL,
    DEEPEST,
    ENGINE,
    VECTOR_TYPES,
    Action,
    Permit,
    Policy,
    Subject,
    class_of,
    columns_of,
    drawn_columns,
    faults,
    unknown,
)

__all__ = [
    "ANONYMOUS_LOCAL",
    "CLOSED",
    "DASH",
    "DEEPEST",
    "ENGINE",
    "ROUTES",
    "VECTOR_TYPES",
    "Action",
    "Permit",
    "Policy",
    "RoutePolicy",
    "Subject",
    "class_of",
    "columns_of",
    "drawn_columns",
    "faults",
    "mask",
    "of_page",
    "unknown",
]
