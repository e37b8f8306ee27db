"""The proofs: one module a room, flow tests, browser, faults, benchmarks."""
