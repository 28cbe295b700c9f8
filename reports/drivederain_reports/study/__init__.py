"""The user study: a blind page of pairs of pictures, and what the answers to it say."""
