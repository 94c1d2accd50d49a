"""The value model of the language: types, values, conversion and the operations on them.

Start with `value` (what a value is in Python) and `types`; the operations are grouped by kind in the other
modules: `numbers`, `sets`, `marks`, `unknowns`, `convert`, `unify`, `equality`, `operations`, `encoding`.
"""
