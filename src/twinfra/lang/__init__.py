"""The language: tokens, parser, syntax nodes, templates, compiler, JSON syntax, formatter and functions.

It knows expressions and bodies, and nothing of resources, providers or state.
"""
