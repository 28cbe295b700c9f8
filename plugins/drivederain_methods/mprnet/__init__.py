"""MPRNet through spandrel: the official checkpoint, or a compact configuration trained here."""
