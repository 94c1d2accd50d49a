"""The parser of the native syntax, by what it reads: `expressions`, `templates`, `bodies`, on top of a `cursor`.

Use it through `twinfra.lang.parser`.
"""
