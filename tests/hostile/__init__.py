"""Hostile deliveries, made here, and what the kernel saw while each was read."""
