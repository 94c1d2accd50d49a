"""The parser of the native syntax, by what it reads: `expressions`, `templates`, `bodies`, with a `cursor`.

Use it through `twinfra.lang.parser`.
"""
