"""Comparisons with peers, in one run, as ratios; never a wall-clock assertion."""
