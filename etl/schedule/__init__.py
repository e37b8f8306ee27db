"""Receiving by itself: what is due is planned, leased, run in a process of its own, tried again, and told."""
