"""The garbage collector while a run makes many long-lived objects: young ones only, for a linear cost.

A full collection looks at everything that lives; with the default settings these come again and again while
tables grow, which makes twice the resources cost more than twice the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG_ONLY = (50_000, 20, 1_000_000)


@contextmanager
def young_only() -> Iterator[None]:
    """Collect only young objects for a while; may be nested, and sets things back as they were."""
    before = gc.get_threshold()
    gc.set_threshold(*_YOUNG_ONLY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
