"""Where states are kept: one file for each backend, behind the interface of `protocol`."""
