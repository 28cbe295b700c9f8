"""The autoencoder of a latent diffusion alone."""
