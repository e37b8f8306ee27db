"""`make bundle`: everything a machine without a network needs, in one signed archive."""
