"""The command line: one module per command group; each parses arguments, calls one function below, and renders."""
