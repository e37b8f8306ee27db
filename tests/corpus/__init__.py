"""The bad-input table as deliveries: every class that reaches etl, made here, received for real, its outcome proved."""
