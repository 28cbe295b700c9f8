"""``derain`` on a video: frame by frame in bounded memory, with the times of the frames and the sound kept.

Needs the extra ``video`` (PyAV, which carries FFmpeg). Pictures become H.264 (VP9 in WebM) of high quality; sound is
copied as it is, not encoded again.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drivederain.errors import DataError, DriveDeRainError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drivederain.chain_expression import ChainSpec
    from drivederain.engine.display import Display
    from drivederain.engine.settings import RunSettings
    from drivederain.registry import Registry

VIDEOS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mts")
WRITABLE = {
    ".mp4": ("libx264", {"crf": "16", "preset": "medium"}),
    ".m4v": ("libx264", {"crf": "16", "preset": "medium"}),
    ".mov": ("libx264", {"crf": "16", "preset": "medium"}),
    ".mkv": ("libx264", {"crf": "16", "preset": "medium"}),
    ".webm": ("libvpx-vp9", {"crf": "24", "b": "0"}),
}
"""Encoder and options by the output's extension."""
BT709, BT601 = 1, 5
UNSPECIFIED = 2
MPEG_RANGE = 1
SD_HEIGHT = 576
"""Up to this height a video that does not say its matrix is taken as BT.601, as players do."""


@dataclass(frozen=True)
class Derained:
    """What was written."""

    path: Path
    frames: int
    left_out: int
    """Frames that could not be decoded, with ``--skip-bad``."""
    seconds: float
    """From the first frame to the finished file, without loading the method."""

    @property
    def frames_per_second(self) -> float:
        return self.frames / self.seconds if self.seconds else 0.0


def is_video(source: Path) -> bool:
    """Whether ``derain`` takes it as a video, by its name."""
    return source.suffix.lower() in VIDEOS and not source.is_dir()


def plan_video(source: Path, target: Path, *, overwrite: bool) -> Path:
    """The file to write; in a folder it has the name of the input.

    Raises:
        DataError: there is no such input, PyAV is not installed, or the output cannot be written or is there already.
    """
    if not source.is_file():
        raise DataError(f"{source}: there is no such file or folder. Check the spelling of INPUT.")
    path = target / source.name if target.is_dir() else target
    if path.suffix.lower() not in WRITABLE:
        what = f"{path.suffix} files" if path.suffix else "a file without an extension"
        raise DataError(f"{path}: cannot write a video as {what}. Use {', '.join(WRITABLE)}.")
    if path.exists() and (not overwrite or path.samefile(source)):
        raise DataError(f"{path} is there already. Give another OUTPUT, or --overwrite (never onto the input itself).")
    _av()
    return path


def derain_video(
    source: Path, target: Path, chain: ChainSpec, settings: RunSettings, registry: Registry, display: Display
) -> Derained:
    """Restore every frame. The file appears under its name when it is whole.

    Frames keep their times, so that a variable frame rate stays as it is; a video that is to be turned for display is
    turned. Each frame is restored by itself. Frames are 8 bit RGB for the method; a matrix of BT.601 or BT.709 is kept,
    others become BT.709.

    Raises:
        DriveDeRainError: the chain cannot be loaded, the video cannot be decoded (without ``--skip-bad``), its sound
            does not fit the output's format, or the method failed on a frame; the message says on which.
    """
    from drivederain.cli.derain_files import load_chain

    av = _av()
    with (
        _opened(av, source) as reading,
        load_chain(chain, settings, registry, display) as loaded,
        _whole_or_nothing(target) as work,
    ):
        video = _Video(av, source, target, reading, display, settings.skip_bad)
        return video.write(work, loaded.restore, chain.name)


def _av() -> Any:
    try:
        import av
        import av.logging
    except ImportError as error:
        raise DataError(
            f"a video needs the package av ({error}); install it by: pip install 'drivederain[video]'"
        ) from error
    av.logging.set_level(None)  # FFmpeg's own lines about what is raised as an error too
    return av


@contextmanager
def _opened(av: Any, source: Path) -> Iterator[Any]:
    try:
        reading = av.open(str(source))
    except (av.FFmpegError, OSError) as error:
        raise DataError(f"{source}: cannot be read as a video ({_words(error)}). Is it whole?") from error
    with reading:
        if not reading.streams.video:
            raise DataError(f"{source}: there are no pictures in it. Give a video.")
        yield reading


@contextmanager
def _whole_or_nothing(target: Path) -> Iterator[Path]:
    """A file of the same extension beside ``target``, renamed to it at the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}.", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    work = Path(name)
    try:
        yield work
        work.chmod(0o644)
        os.replace(work, target)
    finally:
        work.unlink(missing_ok=True)


class _Video:
    def __init__(self, av: Any, source: Path, target: Path, reading: Any, display: Display, skip_bad: bool) -> None:
        self.av, self.source, self.target, self.reading, self.display = av, source, target, reading, display
        self.skip_bad = skip_bad
        self.pictures = reading.streams.video[0]
        self.pictures.thread_type = "AUTO"
        self.frames = self.left_out = 0

    def write(self, work: Path, restore: Any, method: str) -> Derained:
        began = time.monotonic()
        total = self.pictures.frames or self._expected()
        self._warn()
        self.display.begin(f"derain {self.source.name} with {method}", total)
        suffix = self.target.suffix.lower()
        with self.av.open(str(work), "w") as writing:
            encoder, options = WRITABLE[suffix]
            # The rate is a hint for the file's head; the frames bring their own times.
            rate = self.pictures.average_rate or self.pictures.base_rate or 25
            self.out = writing.add_stream(encoder, rate=rate, options=options)
            self.out.time_base = self.out.codec_context.time_base = self.pictures.time_base
            sounds = {sound.index: self._sound(writing, sound) for sound in self.reading.streams.audio}
            early: list[Any] = []  # sound before the first frame, whose size the file's head needs
            for packet in self.reading.demux(self.pictures, *self.reading.streams.audio):
                if packet.stream is self.pictures:
                    for frame in self._decoded(packet):
                        self._restore(frame, restore, writing, began)
                elif packet.dts is not None:
                    packet.stream = sounds[packet.stream.index]
                    early.append(packet)
                while early and self.frames:
                    writing.mux(early.pop(0))
            if not self.frames:
                raise DataError(f"{self.source}: no frame of it can be decoded. Is it whole?")
            writing.mux(self.out.encode(None))
        done = Derained(self.target, self.frames, self.left_out, time.monotonic() - began)
        self.display.end(f"{done.frames_per_second:.2f} frames/s")
        if self.left_out:
            self.display.warn(f"{self.source}: {self.left_out} packets could not be decoded and were left out")
        return done

    def _expected(self) -> int:
        """Frames, as far as the file's head tells."""
        rate, length = self.pictures.average_rate, self.reading.duration
        return max(1, round(float(rate) * length / 1e6)) if rate and length else 1

    def _warn(self) -> None:
        if (bits := max(component.bits for component in self.pictures.format.components)) > 8:
            self.display.warn(f"{self.source}: its {bits} bits a value are read as 8, which methods work on")
        others = [stream.type for stream in self.reading.streams if stream.type not in ("video", "audio")]
        others += ["video"] * (len(self.reading.streams.video) - 1)
        if others:
            self.display.warn(f"{self.source}: streams that are not taken over: {', '.join(sorted(set(others)))}")

    def _sound(self, writing: Any, sound: Any) -> Any:
        try:
            return writing.add_stream_from_template(sound)
        except (ValueError, self.av.FFmpegError) as error:
            raise DataError(
                f"{self.target}: sound of {sound.codec_context.name} does not go into {self.target.suffix} files "
                f"({_words(error)}). Give an OUTPUT that ends in {self.source.suffix.lower()} or .mkv."
            ) from error

    def _decoded(self, packet: Any) -> Iterator[Any]:
        try:
            yield from packet.decode()
        except self.av.FFmpegError as error:
            if not self.skip_bad:
                raise DataError(
                    f"{self.source}: cannot be decoded after frame {self.frames} ({_words(error)}); mend the file, or "
                    "pass --skip-bad to go on without what is damaged."
                ) from error
            self.left_out += 1

    def _restore(self, frame: Any, restore: Any, writing: Any, began: float) -> None:
        matrix = int(frame.colorspace)
        if matrix == UNSPECIFIED:
            matrix = BT601 if frame.height <= SD_HEIGHT else BT709
        keeps = matrix if matrix in (BT601, BT709) else BT709
        rainy = frame.to_ndarray(format="rgb24") if frame.format.is_rgb else _rgb(frame, matrix)
        rainy = np.ascontiguousarray(np.rot90(rainy, round(frame.rotation / 90)))
        try:
            restored = restore(rainy)
        except DriveDeRainError as error:
            raise DataError(f"{self.source}: frame {self.frames + 1}: {error}") from error
        try:
            writing.mux(self.out.encode(self._coded(restored, keeps, frame)))
        except self.av.FFmpegError as error:
            raise DataError(f"{self.target}: cannot be written ({_words(error)}). Give another OUTPUT.") from error
        self.frames += 1
        self.display.advance(self.frames, f"{self.frames / (time.monotonic() - began):.2f} frames/s")

    def _coded(self, restored: NDArray[np.uint8], matrix: int, frame: Any) -> Any:
        height, width = restored.shape[:2]
        context = self.out.codec_context
        # Halved chroma needs even sides.
        pixels = "yuv444p" if height % 2 or width % 2 else "yuv420p"
        if not self.frames:
            context.width, context.height, context.pix_fmt = width, height, pixels
            context.colorspace, context.color_range = matrix, MPEG_RANGE
            context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc
            if aspect := self.pictures.sample_aspect_ratio:
                context.sample_aspect_ratio = 1 / aspect if round(frame.rotation / 90) % 2 else aspect
        elif (width, height) != (context.width, context.height):
            raise DataError(
                f"{self.source}: frame {self.frames + 1} is {width} x {height}, those before it are {context.width} x "
                f"{context.height}. Cut the video where its size changes."
            )
        coded = self.av.VideoFrame.from_ndarray(restored, format="rgb24").reformat(
            format=pixels, dst_colorspace=matrix, dst_color_range=MPEG_RANGE
        )
        coded.pts, coded.time_base = frame.pts, frame.time_base or self.pictures.time_base
        return coded


def _rgb(frame: Any, matrix: int) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = frame.reformat(format="rgb24", src_colorspace=matrix).to_ndarray()
    return pixels


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
