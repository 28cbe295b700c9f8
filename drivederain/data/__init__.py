"""Data sets: pictures found or drawn, decoded by stated rules, split by scene, grouped by intensity."""
