"""What ``derain`` does with files: which become which, and the loop over them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivederain.data.decode import decode
from drivederain.data.folders import list_pictures
from drivederain.errors import DataError, DriveDeRainError, MethodError
from drivederain.results.run_folder import write_atomically

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from drivederain.chain_expression import ChainSpec
    from drivederain.engine.chain import LoadedChain
    from drivederain.engine.display import Display
    from drivederain.engine.settings import RunSettings
    from drivederain.registry import Registry

WRITABLE = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}


@dataclass(frozen=True)
class Job:
    """One picture to read and one to write."""

    source: Path
    target: Path


def plan_files(source: Path, target: Path, *, overwrite: bool, skip_bad: bool = False) -> tuple[list[Job], list[str]]:
    """Pair inputs with outputs. A folder gives PNG files of the same stems, sub-folders kept.

    Returns:
        The jobs, and with ``skip_bad`` what is left out and why.

    Raises:
        DataError: nothing to read, or an output that cannot be written or is there already.
    """
    left_out: list[str] = []
    if source.is_file():
        jobs = [Job(source, target / f"{source.stem}.png" if target.is_dir() else target)]
    elif source.is_dir():
        if target.is_file():
            raise DataError(f"{source} is a folder and {target} a file. Give a folder for the output.")
        if target.resolve().is_relative_to(source.resolve()):
            raise DataError(f"{target} lies in {source}, whose pictures are read. Give a folder outside of it.")
        entries, problems = list_pictures(source)
        left_out = [f"{source / problem.file}: {problem.reason}" for problem in problems]
        if left_out and not skip_bad:
            raise DataError(f"{left_out[0]}; or pass --skip-bad to go on without it.")
        jobs = [Job(entry.path, target / Path(entry.relative).with_suffix(".png")) for entry in entries]
    else:
        raise DataError(f"{source}: there is no such file or folder. Check the spelling of INPUT.")
    _check(jobs, overwrite)
    return jobs, left_out


def _check(jobs: list[Job], overwrite: bool) -> None:
    for job in jobs:
        suffix = job.target.suffix
        if suffix.lower() not in WRITABLE:
            what = f"{suffix} files" if suffix else "a file without an extension"
            raise DataError(f"{job.target}: cannot write {what}. Use {', '.join(WRITABLE)}.")
        if job.target.exists() and (not overwrite or job.target.samefile(job.source)):
            raise DataError(
                f"{job.target} is there already. Give another OUTPUT, or --overwrite (never onto the input itself)."
            )


def derain_files(
    jobs: list[Job], left_out: list[str], chain: ChainSpec, settings: RunSettings, registry: Registry, display: Display
) -> list[Path]:
    """Restore every picture. Returns the files that were written; what was lost is told to ``display``.

    Raises:
        DriveDeRainError: the chain cannot be loaded, or a picture cannot be read (without ``--skip-bad``).
    """
    written: list[Path] = []
    for reason in left_out:
        display.warn(f"skipped {reason}")
    with load_chain(chain, settings, registry, display) as loaded:
        display.begin(f"derain with {chain.name}", len(jobs))
        for number, job in enumerate(jobs, start=1):
            try:
                restored = loaded.restore(decode(job.source.read_bytes(), str(job.source)))
                write_atomically(job.target, _encode(restored, job.target.suffix.lower()))
                written.append(job.target)
            except (DriveDeRainError, OSError) as error:
                reason = f"{job.source}: {error}" if isinstance(error, MethodError) else str(error)
                if not settings.skip_bad:
                    done = f" {number - 1} of {len(jobs)} are done." if len(jobs) > 1 else ""
                    raise DataError(reason + done) from error
                display.warn(f"skipped {reason}")
            display.advance(number)
        display.end()
    return written


def load_chain(chain: ChainSpec, settings: RunSettings, registry: Registry, display: Display) -> LoadedChain:
    """The chain in memory, to restore pictures with; licences that are not for commerce are told to ``display``.

    Raises:
        DriveDeRainError: it cannot be loaded: options, weights, device.
    """
    from drivederain.engine.chain import LoadedChain
    from drivederain.engine.device import choose_device
    from drivederain.engine.prepare import Preparation
    from drivederain.engine.run_record import told_non_commercial

    preparation = Preparation(settings, registry, choose_device(settings.device), display)
    preparation.check([chain])
    loaded = LoadedChain(preparation.stage(chain))
    for stage in chain.stages:
        if stage.non_commercial:
            display.warn(f"{stage.name} is not for commercial use: {stage.licence}")
    for name, words in told_non_commercial(loaded.facts).items():
        display.warn(f"{name} is not for commercial use: {words}")
    return loaded


def _encode(pixels: NDArray[np.uint8], suffix: str) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    how: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}
    Image.fromarray(pixels).save(buffer, WRITABLE[suffix], **how.get(WRITABLE[suffix], {}))
    return buffer.getvalue()
