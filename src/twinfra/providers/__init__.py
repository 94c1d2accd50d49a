"""Providers: who knows a kind of infrastructure. `protocol` is the only interface the engine sees."""
