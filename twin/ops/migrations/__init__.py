"""The schema's history, one file a change, never edited once released; run by twin.ops.upgrading."""
