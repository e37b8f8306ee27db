"""Real villages and a real county, made of other people's data, on the product's own road by declarations alone."""
