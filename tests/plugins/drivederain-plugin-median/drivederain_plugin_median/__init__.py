"""A 3x3 median as a plugin of DriveDeRain."""
