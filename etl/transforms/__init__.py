"""Pure functions, frame → frame, for what a declaration cannot say."""
