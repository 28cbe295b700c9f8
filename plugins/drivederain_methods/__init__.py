"""The built-in methods. They come in through the same entry points as anybody's plugin."""
