"""One training from what was asked for to its folder: data, network, fit, checkpoints, record."""
