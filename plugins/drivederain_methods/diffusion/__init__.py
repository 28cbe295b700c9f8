"""The diffusion refiner: a small bridge in pixels, built of diffusers components."""
