"""Training losses: each term in the file of its kind, their names without torch in ``names``, their sum in
``restoration``.

Pictures are float32 B x 3 x H x W, RGB, [0, 1]; output and truth have the same shape. Every term is a mean over
pictures, channels and places, so that its gradient does not grow with the batch or the crop, and is smallest (0, but
for Charbonnier's .001) where output equals truth.
"""
