"""Releases: a model version together with the infrastructure it runs on, in the ledger and in model registries."""
