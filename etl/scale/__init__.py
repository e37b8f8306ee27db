"""A county's tables, cut by administrative code: received a part at a time, by one process, several, or a cluster."""
