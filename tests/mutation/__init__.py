"""Faults put into the policy one at a time: a test that does not notice one is not asking enough."""
