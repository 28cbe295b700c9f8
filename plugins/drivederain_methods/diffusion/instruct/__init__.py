"""InstructPix2Pix (Brooks, Holynski & Efros, CVPR 2023) with LoRA adapters, as a refiner of estimates."""
