"""The report of a run: one HTML file that opens without network. ``page.render`` writes it."""
