"""Pure functions for what a declaration cannot say: frame → frame, or published inputs → a derived table's rows."""
