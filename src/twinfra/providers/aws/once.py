"""Making something once, though answers get lost: what a call may have made is looked for before another one
is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.resource import Api, Attributes, Resource

_UNSURE_TRIES = 5
"""How often a call is made that may have been carried out, and was not seen to have been."""


def create_once(resource: Resource, context: Context, known: Attributes, create: Callable[[], Api]) -> Api:
    """Make it, again after failures that pass, but never blindly: where every call makes one more, what a call
    has made whose answer was lost is looked for first.
    """
    if resource.recover is None or resource.confirm is None or not context.token:
        return create()
    tries = context.settings.max_retries + 1
    for tried in range(1, tries + 1):
        try:
            context.once = True
            return create()
        except ApiError as problem:
            unsure = problem.unsure and tried < min(tries, _UNSURE_TRIES)
            if not unsure and not (problem.throttled and tried < tries):
                raise
            context.progress(f"trying again after {problem.code}")
            context.once = False
            found = None if problem.throttled else _seek(resource, context, known)
            if found is not None:
                return found
            time.sleep(min(0.25 * 2**tried, 10.0))
        finally:
            context.once = False
    raise AssertionError("the last try ends above")


def _seek(resource: Resource, context: Context, known: Attributes) -> Api | None:
    """Look twice for what may have been made: what is new is not seen everywhere at once."""
    assert resource.recover is not None
    for pause in (0.0, 1.0):
        time.sleep(pause)
        found = resource.recover(context, known, context.token)
        if found is not None:
            return found
    return None


def adopt(resource: Resource, context: Context, known: Attributes, problem: ApiError) -> Api | None:
    """What an attempt whose answer was lost has made, found again by this operation's token."""
    if resource.recover is None or not context.token or not problem.unsure:
        # A first and only attempt that was refused has made nothing: what is there is not ours.
        return None
    try:
        return resource.recover(context, known, context.token)
    except ApiError:
        return None
