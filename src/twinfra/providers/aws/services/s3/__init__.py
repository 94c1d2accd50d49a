"""Simple Storage Service: buckets, their settings, objects."""
