"""Imports what is not installed."""

import drivederain_module_that_nobody_has  # noqa: F401
