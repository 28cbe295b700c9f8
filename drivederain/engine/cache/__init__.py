"""What lies in the cache: listing it, explaining it, taking out of it, checking it. Imports no torch."""
