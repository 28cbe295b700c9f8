"""Any program that restores pictures, as a method of DriveDeRain."""
