"""Runs directories of conformance cases: what stock Terraform answers, and whether we answer the same.

The format of the cases is described in `tests/data/conformance/README.md`.
"""
