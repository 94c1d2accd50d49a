"""Rendering for people: plans, diagnostics, values and progress as text. Nothing here decides anything."""
