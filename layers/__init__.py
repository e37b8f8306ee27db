"""The village as drawn: the one written list of layers, whose order is the drawing order and the menu's order."""

from __future__ import annotations

from layers.base import electronic_map, imagery, real_scene
from layers.business import enterprise, farmland, pond
from layers.environment import ecology, sanitation, water
from layers.governance import case, grid, risk
from layers.planning import land, plan, red_line
from layers.service import care, facility, transport
from layers.themes import THEMES

LAYERS = (
    electronic_map.LAYER,
    imagery.LAYER,
    real_scene.LAYER,
    plan.LAYER,
    red_line.LAYER,
    land.LAYER,
    farmland.LAYER,
    pond.LAYER,
    enterprise.LAYER,
    water.LAYER,
    sanitation.LAYER,
    ecology.LAYER,
    facility.LAYER,
    transport.LAYER,
    care.LAYER,
    grid.LAYER,
    case.LAYER,
    risk.LAYER,
)

__all__ = ["LAYERS", "THEMES"]
