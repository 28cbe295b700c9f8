"""The engine: plan, prepare, restore, score. Every step is a cached cell."""
