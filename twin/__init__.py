"""The engine of a village one-map; it knows no village, no layer by name and no department."""
