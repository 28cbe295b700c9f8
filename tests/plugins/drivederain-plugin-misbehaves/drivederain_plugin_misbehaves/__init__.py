"""Methods that break in every way that a method can."""
