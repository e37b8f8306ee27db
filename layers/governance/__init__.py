"""乡村治理: grids and houses, cases and risks."""
