"""The services: one package each, one file for each resource type."""
