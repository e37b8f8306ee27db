"""Files that people send in: told by content, made anew in a cage, counted against a quota, out of the web's reach.

`receiving` takes one, `shelf` keeps them; `inside`, `photo` and `workbook` run in the cage and are imported there only.
"""
