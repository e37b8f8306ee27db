"""Faults made on purpose: kills, power cuts, failing disks, flipped bits, rivals."""
