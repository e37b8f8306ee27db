"""What is reached for: delivered files as they lie, and sources that are asked; the only network of etl."""

from etl.fetch.files import Delivered, FileSet, fetch
from etl.fetch.pull import absent, arranged, keep, pull_of, reads, shown

__all__ = ["Delivered", "FileSet", "absent", "arranged", "fetch", "keep", "pull_of", "reads", "shown"]
