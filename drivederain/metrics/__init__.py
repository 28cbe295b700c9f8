"""Metrics of the core: fidelity, structural similarity and perceptual distance, each by region."""
