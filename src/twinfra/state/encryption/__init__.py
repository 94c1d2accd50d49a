"""Encryption of states, plans and journals before they leave the process, in OpenTofu's public format."""
