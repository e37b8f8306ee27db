"""The changes of the schema in order; the file's name begins with its number."""
