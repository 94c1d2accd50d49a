"""Pipelines: files for CI that plan on a pull request and apply exactly that plan on merge, and what their steps do."""
