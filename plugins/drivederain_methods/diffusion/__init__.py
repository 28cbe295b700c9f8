"""The diffusion refiner: a bridge in pixels, or InstructPix2Pix with LoRA; both are built of diffusers."""
