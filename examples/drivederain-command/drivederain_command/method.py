"""The method: a picture goes to a file, the program runs, a picture comes back."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from drivederain.errors import MethodError
from drivederain.method import LoadedWeights, Method
from drivederain_command.options import CommandOptions

WORDS = 300
"""Characters of a program's last words that are kept."""


class Command(Method):
    options: CommandOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        program = shlex.split(self.options.run)[0]
        if shutil.which(program) is None:
            raise MethodError(f"command.run: there is no program {program!r}. Give its path.")

    def restore(self, rainy: Tensor) -> Tensor:
        eight_bit = (rainy.float() * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        restored = np.stack([self._run(picture) for picture in eight_bit])
        return torch.from_numpy(restored).permute(0, 3, 1, 2).to(rainy.device).float() / 255

    def _run(self, picture: np.ndarray) -> np.ndarray:
        with tempfile.TemporaryDirectory(prefix="drivederain-command-") as name:
            inside, outside = Path(name, "input"), Path(name, "output")
            inside.mkdir()
            outside.mkdir()
            places = {
                "{input}": inside / "picture.png",
                "{output}": outside / "picture.png",
                "{input_dir}": inside,
                "{output_dir}": outside,
            }
            _write(places["{input}"], picture)
            self._execute([_filled(word, places) for word in shlex.split(self.options.run)])
            restored = _read(outside)
        if restored.shape != picture.shape:
            (height, width), (before, across) = restored.shape[:2], picture.shape[:2]
            raise MethodError(f"the program made {width}x{height} of a picture of {across}x{before} pixels")
        return restored

    def _execute(self, words: list[str]) -> None:
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, timeout=self.options.timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise MethodError(f"the program did not end within {self.options.timeout:g} s") from error
        if done.returncode:
            told = " ".join((done.stderr or done.stdout).decode("utf-8", "replace").split())[-WORDS:]
            raise MethodError(f"the program ended with the exit status {done.returncode}: {told or 'without a word'}")

    def facts(self) -> dict[str, str | int | float | bool]:
        return {"network": f"unknown: {self.options.run}"}


def _filled(word: str, places: dict[str, Path]) -> str:
    for place, path in places.items():
        word = word.replace(place, str(path))
    return word


def _write(path: Path, picture: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(".png", picture[..., ::-1])[1].tobytes())


def _read(folder: Path) -> np.ndarray:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(files) != 1:
        raise MethodError(f"the program wrote {len(files)} files into its output folder, where one picture is wanted")
    pixels = cv2.imdecode(np.frombuffer(files[0].read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise MethodError(f"what the program wrote as {files[0].name} is no picture")
    return np.ascontiguousarray(pixels[..., ::-1])
