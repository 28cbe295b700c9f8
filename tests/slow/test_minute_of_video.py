"""A minute of 720p, drawn, with a tone: the same frames, rate and sound come back, in memory that does not grow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

av = pytest.importorskip("av", reason="a video needs the extra `video`")

SECONDS = int(os.environ.get("DRIVEDERAIN_VIDEO_SECONDS", "60"))
RATE = 25
SIZE = (720, 1280)


def draw(path: Path) -> None:
    """A drawn scene that moves sideways, as 720p H.264, and a tone of 440 Hz as AAC."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(20, 230, (9, 32, 3), dtype=np.uint8)
    scene = cv2.resize(coarse, (2 * SIZE[1], SIZE[0]), interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("libx264", rate=RATE, options={"crf": "18", "preset": "ultrafast"})
        pictures.height, pictures.width = SIZE
        pictures.pix_fmt = "yuv420p"
        tone = out.add_stream("aac", rate=48000, layout="mono")
        for number in range(SECONDS * RATE):
            left = number * 4 % SIZE[1]
            pixels = np.ascontiguousarray(scene[:, left : left + SIZE[1]])
            out.mux(pictures.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            at = np.arange(48000 // RATE) + number * (48000 // RATE)
            sound = av.AudioFrame.from_ndarray(
                (np.sin(2 * np.pi * 440 * at / 48000)[None] * 9000).astype(np.int16), "s16", "mono"
            )
            sound.sample_rate, sound.pts, sound.time_base = 48000, int(at[0]), Fraction(1, 48000)
            out.mux(tone.encode(sound))
        out.mux(pictures.encode(None))
        out.mux(tone.encode(None))


def facts(path: Path) -> tuple[int, Fraction, bytes]:
    """Frames, their rate, and the packets of the sound."""
    frames, sound = 0, []
    with av.open(str(path)) as file:
        rate = file.streams.video[0].average_rate
        for packet in file.demux(video=0, audio=0):
            if packet.stream.type == "video":
                frames += len(packet.decode())
            else:
                sound.append(bytes(packet))
    return frames, rate, b"".join(sound)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_minute_of_720p_comes_back(tmp_path: Path) -> None:
    source, target = tmp_path / "drive.mp4", tmp_path / "dry.mp4"
    draw(source)
    command = [sys.executable, "-m", "drivederain.cli.main", "derain", str(source), str(target)]
    held: list[int] = []
    with subprocess.Popen(
        [*command, "--method", "median", "--device", "cpu"], stdout=subprocess.PIPE, text=True
    ) as run:
        process = psutil.Process(run.pid)
        while run.poll() is None:
            held.append(process.memory_info().rss)
            time.sleep(0.25)
        words = run.stdout.read() if run.stdout is not None else ""
    assert run.returncode == 0, words
    assert facts(target) == facts(source) and facts(target)[0] == SECONDS * RATE
    print(words, f"RSS at a quarter {held[len(held) // 4] >> 20} MiB, at most {max(held) >> 20} MiB")
    # The encoder looks ahead some seconds; after that nothing may grow.
    early = max(held[len(held) // 4 : len(held) // 2])
    assert max(held[len(held) // 2 :]) < 1.05 * early
