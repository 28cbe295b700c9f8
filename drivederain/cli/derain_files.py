"""What ``derain`` does with files: which become which, and the loop over them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivederain.data.decode import decode
from drivederain.data.folders import list_pictures
from drivederain.errors import DataError, DriveDeRainError
from drivederain.results.run_folder import write_atomically

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from drivederain.chain_expression import ChainSpec
    from drivederain.engine.settings import RunSettings
    from drivederain.registry import Registry

WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF"}


@dataclass(frozen=True)
class Job:
    """One picture to read and one to write."""

    source: Path
    target: Path
    name: str


def plan_files(source: Path, target: Path, *, overwrite: bool) -> list[Job]:
    """Pair inputs with outputs. A folder gives PNG files of the same stems, sub-folders kept.

    Raises:
        DataError: nothing to read, an output that cannot be written or is there already, or two with one name.
    """
    if source.is_file():
        path = target / f"{source.stem}.png" if target.is_dir() else target
        jobs = [Job(source, path, source.name)]
    elif source.is_dir():
        if target.is_file():
            raise DataError(f"{source} is a folder and {target} a file. Give a folder for the output.")
        entries, _ = list_pictures(source)
        jobs = [Job(entry.path, target / Path(entry.name).with_suffix(".png"), entry.name) for entry in entries]
        if not jobs:
            raise DataError(f"{source} holds no pictures. Give a folder of PNG, JPEG, WebP, BMP or TIFF files.")
    else:
        raise DataError(f"{source}: there is no such file or folder.")
    _check(jobs, overwrite)
    return jobs


def _check(jobs: list[Job], overwrite: bool) -> None:
    taken: dict[Path, Job] = {}
    for job in jobs:
        if job.target.suffix.lower() not in WRITABLE:
            raise DataError(f"{job.target}: cannot write {job.target.suffix or 'a file without an extension'}. Use {', '.join(WRITABLE)}.")
        if job.target in taken:
            raise DataError(f"{job.source} and {taken[job.target].source} would both become {job.target}. Rename one of them.")
        taken[job.target] = job
        if job.target.exists() and (not overwrite or job.target.samefile(job.source)):
            raise DataError(f"{job.target} is there already. Give another OUTPUT, or --overwrite (never onto the input itself).")


def derain_files(jobs: list[Job], chain: ChainSpec, settings: RunSettings, registry: Registry) -> int:
    """Restore every picture; the exit status is 1 if any was lost.

    Raises:
        DriveDeRainError: the chain cannot be loaded, or a picture cannot be read (without ``--skip-bad``).
    """
    from drivederain.cli.console import console
    from drivederain.cli.progress import LiveDisplay
    from drivederain.engine.chain import LoadedChain
    from drivederain.engine.device import choose_device
    from drivederain.engine.prepare import Preparation

    lost = 0
    with LiveDisplay() as display:
        preparation = Preparation(settings, registry, choose_device(settings.device), display)
        preparation.check([chain])
        with LoadedChain(preparation.stage(chain)) as loaded:
            if any(stage.non_commercial for stage in chain.stages):
                display.warn(f"{chain.name}: {'; '.join(stage.licence for stage in chain.stages if stage.non_commercial)}")
            display.begin(f"derain with {chain.name}", len(jobs))
            for number, job in enumerate(jobs, start=1):
                try:
                    restored = loaded.restore(job.name, decode(job.source.read_bytes(), str(job.source)))
                    write_atomically(job.target, _encode(restored, job.target.suffix.lower()))
                except (DriveDeRainError, OSError) as error:
                    if not settings.skip_bad:
                        raise DataError(f"{error} (--skip-bad goes on with the others; {number - 1} are done)") from error
                    lost += 1
                    display.warn(f"skipped {job.source}: {error}")
                display.advance(number)
            display.end()
    console.print(f"{len(jobs) - lost} of {len(jobs)} pictures written to {jobs[0].target if len(jobs) == 1 else settings.out}", soft_wrap=True)
    return int(lost > 0)


def _encode(pixels: NDArray[np.uint8], suffix: str) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    lossy = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}
    Image.fromarray(pixels).save(buffer, WRITABLE[suffix], **lossy.get(WRITABLE[suffix], {}))
    return buffer.getvalue()
