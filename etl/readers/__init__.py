"""One reader a kind of delivery; each `read(job, report)` yields Arrow batches, and no reader knows another."""
