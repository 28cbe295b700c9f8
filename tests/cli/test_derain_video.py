"""``derain`` on a video: frames, their times, colours and sound; what goes wrong; memory that does not grow."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivederain.api import derain
from drivederain.errors import DataError

av = pytest.importorskip("av", reason="a video needs the extra `video`")

Maker = Callable[..., Path]


def scene(number: int, height: int, width: int) -> np.ndarray:
    """A smooth coloured picture with a bright block that moves."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 160 // width + 40, y * 160 // height + 40, (x + y) * 80 // (height + width) + 60], -1)
    left = number * 3 % (width - 8)
    pixels[4:12, left : left + 8] = (220, 60, 30)
    return pixels.astype(np.uint8)


def make_video(
    path: Path,
    *,
    frames: int = 12,
    size: tuple[int, int] = (48, 64),
    rate: Fraction = Fraction(30000, 1001),
    matrix: int = 1,
    says: bool = True,
    times: list[int] | None = None,
    sound: str = "aac",
) -> Path:
    """Drawn frames and a tone of 440 Hz; ``times``: in thousandths of a second."""
    height, width = size
    with av.open(str(path), "w") as out:
        pictures = out.add_stream(
            "libvpx-vp9" if path.suffix == ".webm" else "libx264", rate=rate, options={"crf": "4"}
        )
        pictures.width, pictures.height = width, height
        pictures.pix_fmt = "yuv444p" if height % 2 or width % 2 else "yuv420p"
        if says:
            pictures.codec_context.colorspace, pictures.codec_context.color_range = matrix, 1
        if times is not None:
            pictures.time_base = pictures.codec_context.time_base = Fraction(1, 1000)
        tone = out.add_stream(sound, rate=48000, layout="mono") if sound else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(scene(number, height, width), format="rgb24").reformat(
                format=pictures.pix_fmt, dst_colorspace=matrix, dst_color_range=1
            )
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            out.mux(pictures.encode(frame))
        out.mux(pictures.encode(None))
        if tone is not None:
            seconds = (times[-1] / 1000 if times else float(frames / rate)) or 0.1
            wave = np.sin(2 * np.pi * 440 * np.arange(int(48000 * seconds)) / 48000)
            for start in range(0, len(wave), 960):
                own = av.AudioFrame.from_ndarray(
                    (wave[None, start : start + 960] * 12000).astype(np.int16), "s16", "mono"
                )
                own.sample_rate, own.pts, own.time_base = 48000, start, Fraction(1, 48000)
                out.mux(tone.encode(own))
            out.mux(tone.encode(None))
    return path


def frames_of(path: Path) -> tuple[list[float], list[np.ndarray]]:
    with av.open(str(path)) as file:
        decoded = [(float(frame.time), frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]
    return [when for when, _ in decoded], [pixels for _, pixels in decoded]


def sound_of(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as file:
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in file.demux(audio=0)
            if packet.pts is not None
        ]


def about(path: Path) -> dict[str, Any]:
    with av.open(str(path)) as file:
        pictures = file.streams.video[0]
        return {
            "rate": pictures.average_rate,
            "size": (pictures.height, pictures.width),
            "matrix": int(pictures.codec_context.colorspace),
            "range": int(pictures.codec_context.color_range),
        }


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "drive.mp4")


def take_off(source: Path, target: Path, method: str = "identity", **more: Any) -> Path:
    return derain(source, target, method=method, device="cpu", **more)[0]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_frames_rate_and_sound_are_kept(video: Path, tmp_path: Path, suffix: str) -> None:
    out = take_off(video, tmp_path / f"dry{suffix}")
    times, pixels = frames_of(out)
    was, before = frames_of(video)
    # Matroska has no times below zero, where the sound of MP4 begins: all of it is later by as much.
    later = sound_of(out)[0][0] - sound_of(video)[0][0] if suffix == ".mkv" else 0
    assert len(pixels) == 12 and np.allclose(times, np.add(was, later), atol=0.002)
    assert suffix == ".mkv" or (about(out) == about(video) and about(out)["rate"] == Fraction(30000, 1001))
    for here, there in zip(pixels, before, strict=True):
        assert np.abs(here.astype(int) - there).mean() < 2
    assert [data for _, data in sound_of(out)] == [data for _, data in sound_of(video)], "copied, not encoded again"
    assert np.allclose([at - later for at, _ in sound_of(out)], [at for at, _ in sound_of(video)], atol=0.002)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([video.name, out.name]), "nothing else is left"


def test_frames_are_what_the_method_makes_of_them(video: Path, tmp_path: Path) -> None:
    dry = frames_of(take_off(video, tmp_path / "dry.mp4", "median"))[1]
    for here, there in zip(dry, frames_of(video)[1], strict=True):
        assert np.abs(here.astype(int) - cv2.medianBlur(there, 5)).mean() < 3
        block = np.abs(there.astype(int) - here).max()
        assert block > 20, "the median takes corners off the block"


def test_webm_is_written_with_vp9(tmp_path: Path) -> None:
    source = make_video(tmp_path / "drive.webm", sound="libopus")
    out = take_off(source, tmp_path / "dry.webm")
    with av.open(str(out)) as file:
        assert file.streams.video[0].codec_context.name in ("vp9", "libvpx-vp9")
    assert len(frames_of(out)[1]) == 12 and sound_of(out)


@pytest.mark.parametrize(("matrix", "says", "height"), [(1, True, 48), (5, True, 48), (5, False, 48), (1, False, 600)])
def test_colours_are_those_of_the_matrix(tmp_path: Path, matrix: int, says: bool, height: int) -> None:
    source = make_video(tmp_path / "drive.mp4", frames=2, size=(height, 64), matrix=matrix, says=says)
    seen: list[np.ndarray] = []
    from drivederain.cli import derain_video as module

    class Sees:
        def __call__(self, pixels: np.ndarray) -> np.ndarray:
            seen.append(pixels)
            return pixels

    out = take_off(source, tmp_path / "dry.mp4")
    with module._opened(av, source) as reading:
        from drivederain.engine.display import Silent

        module._Video(av, source, tmp_path / "x.mp4", reading, Silent(), False).write(
            tmp_path / "x.mp4", Sees(), "sees"
        )
    assert np.abs(seen[0].astype(int) - scene(0, height, 64)).mean() < 2.5, "as it was drawn"
    assert about(out)["matrix"] == matrix and about(out)["range"] == 1, "and says of what it is"
    with av.open(str(out)) as file:
        frame = next(file.decode(video=0))
        again = frame.reformat(format="rgb24", src_colorspace=matrix).to_ndarray()
    assert np.abs(again.astype(int) - scene(0, height, 64)).mean() < 3


def test_frames_of_uneven_times_keep_them(tmp_path: Path) -> None:
    times = [0, 40, 55, 200, 233, 700]
    source = make_video(tmp_path / "drive.mkv", frames=6, times=times, sound="")
    out = take_off(source, tmp_path / "dry.mkv")
    assert np.allclose(frames_of(out)[0], [time / 1000 for time in times], atol=0.001)


def test_odd_sides_are_kept(tmp_path: Path) -> None:
    source = make_video(tmp_path / "drive.mp4", size=(49, 65))
    assert frames_of(take_off(source, tmp_path / "dry.mp4"))[1][0].shape == (49, 65, 3)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_what_is_to_be_turned_is_turned(tmp_path: Path, quarter: int) -> None:
    """Phones write a turn into the file's head; OpenCV, which heeds it, must show the same before and after."""
    source = make_video(tmp_path / "drive.mp4", sound="")
    data = source.read_bytes()
    upright = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    a, b = ((0, 1), (-1, 0), (0, -1))[quarter - 1]
    turned = struct.pack(">9i", a << 16, b << 16, 0, -b << 16, a << 16, 0, 0, 0, 1 << 30)
    at = data.index(upright, data.index(b"tkhd"))
    source.write_bytes(data[:at] + turned + data[at + len(upright) :])
    shown = cv2.VideoCapture(str(source)).read()[1]
    assert shown.shape[:2] == ((64, 48) if quarter != 2 else (48, 64))
    dry = cv2.VideoCapture(str(take_off(source, tmp_path / "dry.mp4"))).read()[1]
    assert dry.shape == shown.shape and np.abs(dry.astype(int) - shown).mean() < 3


def test_the_command_tells_frames_and_speed(command: Any, video: Path, tmp_path: Path) -> None:
    ended = command("derain", video, tmp_path / "dry.mp4", "--method", "identity", "--device", "cpu")
    assert ended.status == 0 and "12 frames written to" in ended.out and " frames/s" in ended.out
    again = command("derain", video, tmp_path / "dry.mp4", "--method", "identity")
    assert again.status == 2 and "is there already" in again.err
    assert command("derain", video, tmp_path / "dry.mp4", "--method", "identity", "--overwrite").status == 0
    (tmp_path / "folder").mkdir()
    assert command("derain", video, tmp_path / "folder", "--method", "identity").status == 0
    assert len(frames_of(tmp_path / "folder" / "drive.mp4")[1]) == 12


def test_bad_videos_are_named(video: Path, tmp_path: Path) -> None:
    for name, data in [("text.mp4", b"no video at all"), ("empty.mkv", b""), ("cut.mp4", video.read_bytes()[:900])]:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=rf"{name}: cannot be read as a video"):
            take_off(tmp_path / name, tmp_path / "dry.mp4")
    with pytest.raises(DataError, match=r"gone\.mp4: there is no such file"):
        take_off(tmp_path / "gone.mp4", tmp_path / "dry.mp4")
    with pytest.raises(DataError, match=r"cannot write a video as \.gif files"):
        take_off(video, tmp_path / "dry.gif")
    with pytest.raises(DataError, match="is there already"):
        take_off(video, video, overwrite=True)
    with av.open(str(tmp_path / "sound.mkv"), "w") as out:
        tone = out.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
        frame.sample_rate = 48000
        out.mux(tone.encode(frame))
        out.mux(tone.encode(None))
    with pytest.raises(DataError, match=r"sound\.mkv: there are no pictures in it"):
        take_off(tmp_path / "sound.mkv", tmp_path / "dry.mp4")
    assert not (tmp_path / "dry.mp4").exists() and not list(tmp_path.glob(".*"))


def test_sound_that_does_not_fit_is_refused(video: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"aac.* does not go into \.webm|cannot be written"):
        take_off(video, tmp_path / "dry.webm")
    assert not (tmp_path / "dry.webm").exists() and not list(tmp_path.glob(".*"))


def test_without_pyav_the_extra_is_named(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DataError, match=r"pip install 'drivederain\[video\]'"):
        take_off(video, tmp_path / "dry.mp4")
