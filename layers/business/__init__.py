"""乡村经营: fields, ponds, and those who live by them."""
