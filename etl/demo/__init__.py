"""The fictional village 示范村: its truth, the departments that describe it badly, and a county for benchmarks."""
