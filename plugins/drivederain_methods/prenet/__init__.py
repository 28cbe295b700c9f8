"""PReNet (Ren et al., CVPR 2019)."""
