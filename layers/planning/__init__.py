"""乡村规划: what the land is, what it may become, and what may never be built on."""
