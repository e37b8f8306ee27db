"""What a village one-map is made of, as frozen values; it reads and writes nothing."""

from twin.model.drawn import Classes, ClassItem, Draw, Indicator, Layer, Theme
from twin.model.matrix import Matrix, count
from twin.model.received import (
    Code,
    CodeSystem,
    Department,
    Field,
    FieldType,
    Kind,
    Meaning,
    Resource,
    Sensitivity,
    ShareType,
    Source,
)
from twin.model.responsibility import ResponsibilityItem, item_of_case, item_of_layer
from twin.model.text import Text
from twin.model.village import Bbox, OneMap, Village

__all__ = [
    "Bbox",
    "ClassItem",
    "Classes",
    "Code",
    "CodeSystem",
    "Department",
    "Draw",
    "Field",
    "FieldType",
    "Indicator",
    "Kind",
    "Layer",
    "Matrix",
    "Meaning",
    "OneMap",
    "Resource",
    "ResponsibilityItem",
    "Sensitivity",
    "ShareType",
    "Source",
    "Text",
    "Theme",
    "Village",
    "count",
    "item_of_case",
    "item_of_layer",
]
