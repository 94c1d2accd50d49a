"""Twins: two environments of one configuration, compared as far as the code and their inputs tell."""
