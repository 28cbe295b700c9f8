"""The U-Net stage: segmentation-models-pytorch encoders, or the plan's own network."""
