"""A run's figures as files for other programs and for papers."""
