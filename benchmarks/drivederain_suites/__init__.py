"""Suites: TOML files that fix data, methods, metrics, protocol and budget."""
