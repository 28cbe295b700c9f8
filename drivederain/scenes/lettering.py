"""Capital letters for shop signs, five dots wide and seven high: the project's own, so that no font library matters."""

from __future__ import annotations

import numpy as np

from .arrays import Array

GLYPHS: dict[str, str] = {
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "I": "01110 00100 00100 00100 00100 00100 01110",
    "O": "01110 10001 10001 10001 10001 10001 01110",
    "U": "10001 10001 10001 10001 10001 10001 01110",
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "N": "10001 11001 10101 10011 10001 10001 10001",
    "M": "10001 11011 10101 10101 10001 10001 10001",
    "K": "10001 10010 10100 11000 10100 10010 10001",
    "B": "11110 10001 10001 11110 10001 10001 11110",
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "D": "11110 10001 10001 10001 10001 10001 11110",
    "C": "01110 10001 10000 10000 10000 10001 01110",
}


def lettering(word: str) -> Array:
    """A word of the letters in GLYPHS as a picture of dots, 9 x (6 n + 3), float32, 1 on a letter and 0 off it."""
    dots = np.zeros((9, 6 * len(word) + 3), dtype=np.float32)
    for place, letter in enumerate(word):
        rows = [[float(dot) for dot in row] for row in GLYPHS[letter].split()]
        dots[1:8, 2 + 6 * place : 7 + 6 * place] = rows
    return dots
