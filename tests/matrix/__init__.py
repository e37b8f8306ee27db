"""Who sees what, asked of everything that answers and compared with a page of grants written by hand."""
