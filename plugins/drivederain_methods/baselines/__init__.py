"""What each method must beat."""
