"""What tests of the state's commands share with those of other commands."""

from tests.cli.conftest import twinfra

__all__ = ["twinfra"]
