"""Joining runs: shards of one run, and runs of other people on the same data."""
