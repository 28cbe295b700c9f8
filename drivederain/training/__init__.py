"""Training within a budget: losses, the Lightning module, batches of crops, and the fit."""
