"""The table of results, the run's folder, and the statistics made of them."""
