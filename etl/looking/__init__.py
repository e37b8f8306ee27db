"""What a source nobody has declared yet really is: looked at in the cage, told with evidence, then declared."""
