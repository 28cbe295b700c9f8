"""Writes a new plugin: a distribution that installs, shows in ``list``, and passes its own tests."""
