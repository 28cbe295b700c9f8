"""Checks that every method plugin should pass: run by ``plugin check``, and by pytest in a plugin's own tests::

from drivederain.testing.conformance import MethodConformance

class TestMine(MethodConformance):
    method = "my-median"
"""
