"""Tables worked out from published ones: proved, put in order, and built again when what they are made of changes."""
