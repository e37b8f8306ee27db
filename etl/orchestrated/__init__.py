"""The same resources as assets of Dagster, for whoever runs one: the optional extra `pip install .[dagster]`."""
