"""Proof that code and inputs determine what is built: two builds from nothing under different circumstances."""
