"""乡村服务: what the village offers to those who live in it."""
