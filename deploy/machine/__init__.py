"""What runs on the machine that gets the one-map: in Python 3.11's standard library only."""
