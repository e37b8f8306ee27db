"""乡村环境: water, waste, woods and air."""
