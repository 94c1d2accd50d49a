"""The garbage collector while a run makes many long-lived objects.

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


@contextmanager
def paused() -> Iterator[None]:
    """Collect nothing while a file is read: millions of new objects, none of which is garbage; may be nested.

    What lives afterwards is left alone for good: else the next collection would walk all of it, and later ones again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()
            gc.enable()
