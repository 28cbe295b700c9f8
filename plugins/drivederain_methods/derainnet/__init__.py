"""DerainNet (Fu et al., IEEE TIP 2017)."""
