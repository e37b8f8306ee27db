"""The three base maps: exactly one of them lies under everything else."""
