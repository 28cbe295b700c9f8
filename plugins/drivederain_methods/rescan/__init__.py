"""RESCAN (Li et al., ECCV 2018)."""
