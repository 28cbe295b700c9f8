"""What would keep the program, or one of its features, from working here: one small check each, with its remedy."""
