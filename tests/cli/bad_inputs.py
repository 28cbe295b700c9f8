"""Bad inputs: what is typed, how it ends, and what the message must say. ``docs/bad-inputs.md`` is made of this list.

Each runs in a folder ``here`` that ``lay_out`` fills; commands name everything relative to it.
"""

from __future__ import annotations

import os
import pickle
import shlex
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

GOOD = "run --methods identity --data paired:pairs --metrics mse --out runs/new"


@dataclass(frozen=True)
class BadInput:
    """One bad input; ``says``: parts of the message, the culprit and the remedy."""

    what: str
    command: str
    says: tuple[str, ...]
    status: int = 2

    @property
    def arguments(self) -> list[str]:
        return shlex.split(self.command)


def run(*changes: str, data: str = "paired:pairs", methods: str = "identity") -> str:
    return " ".join(["run --methods", methods, "--data", data, "--metrics mse --out runs/new", *changes])


def train(*changes: str, method: str = "unet") -> str:
    return " ".join(["train", method, "--data paired:pairs --device cpu --steps 1 --out runs/new", *changes])


BAD_INPUTS = (
    # Names
    BadInput("a method that does not exist", run(methods="unett"), ("'unett'", "Did you mean 'unet'?")),
    BadInput("a refiner at the front", run(methods="diffusion"), ("'diffusion' is a refiner", "'unet+diffusion'")),
    BadInput(
        "a chain with a hole", run(methods="unet++diffusion"), ("'+' with no method beside it", "'unet+diffusion'")
    ),
    BadInput("no method", run(methods=","), ("--methods names none", "--methods unet")),
    BadInput("a metric that does not exist", run("--metrics psnrr"), ("'psnrr'", "Did you mean 'psnr'")),
    BadInput("a run that is joined with nothing", "merge runs/good --out runs/new", ("give two runs or more",)),
    BadInput(
        "a run that is joined with itself", "merge runs/good runs/good --out runs/new", ("is given twice", "once")
    ),
    BadInput("a folder that is no run to join", "merge runs/good pairs --out runs/new", ("is not a run", "run --out")),
    BadInput(
        "a run that is joined with a damaged one",
        "merge runs/good runs/table --out runs/new",
        ("results.parquet is damaged", "again"),
    ),
    BadInput("a shard that is no part", run("--shard 9/8"), ("--shard 9/8", "a part from 1 to 8")),
    BadInput("more shards than scenes", run("--shard 1/99"), ("--shard 1/99", "scenes", "fewer parts")),
    BadInput(
        "a metric's variant that does not exist",
        run('--metrics "psnr_y[mprnett]"'),
        ("'psnr_y' has no variant 'mprnett'", "Did you mean 'mprnet'"),
    ),
    BadInput(
        "a data set that does not exist", run(data="syntetic:photos"), ("'syntetic'", "Did you mean 'synthetic'?")
    ),
    BadInput(
        "a folder without saying of what", run(data="./photos"), ("does not say what lies there", "synthetic:./photos")
    ),
    BadInput("a suite that does not exist", "run --suite demoo", ("--suite demoo", "Did you mean 'demo'?")),
    BadInput("a wrong word for list", "list metods", ("list metods", "Did you mean 'methods'")),
    # Suites
    BadInput("a suite with an unknown key", "run --suite key.toml", ("key.toml", "metod", "Did you mean 'methods'?")),
    BadInput(
        "a suite with a wrong value",
        "run --suite value.toml",
        ("value.toml", "protocol.seed is 'one'", "a whole number"),
    ),
    BadInput("a suite that is not TOML", "run --suite broken.toml", ("broken.toml is not TOML", "Invalid value")),
    BadInput("a suite file that is not there", "run --suite none.toml", ("none.toml cannot be read", "list suites")),
    # Values
    BadInput("a size that is no size", run("--size big"), ("--size big", "native, or the shorter side")),
    BadInput("a size that is too small", run("--size 8"), ("--size 8", "16 or more")),
    BadInput("an unknown intensity", run("--intensity heavi"), ("--intensity heavi", "Did you mean 'heavy'?")),
    BadInput("a limit of nothing", run("--limit 0"), ("--limit 0", "1 or more")),
    BadInput("a time below nothing", run("--timeout -1"), ("--timeout -1", "more than 0")),
    BadInput("a time of nothing", run("--method-timeout 0"), ("--method-timeout 0", "more than 0")),
    BadInput("a batch of nothing", run("--batch 0"), ("--batch 0", "1 or more")),
    BadInput("tiles too small to see anything", run("--tile 8"), ("--tile 8", "64 or more")),
    BadInput("memory without a unit", run("--memory-limit 8"), ("--memory-limit 8", "as in 8GB")),
    BadInput("a limit that is no number", run("--limit some"), ("--limit", "valid integer")),
    BadInput("a budget in hours", run("--budget '2 hours'"), ("--budget 2 hours", "'600 steps' or '20 minutes'")),
    BadInput(
        "a budget of nothing", run("--budget '0 steps'"), ("--budget 0 steps", "a positive number of steps or minutes")
    ),
    BadInput("an unknown precision", run("--precision fp8"), ("--precision fp8", "auto, fp32, bf16, fp16")),
    BadInput("an unknown word for --overwrite", run("--overwrite yes"), ("--overwrite yes", "never, failed, always")),
    BadInput("an option that does not exist", run("--metod unet"), ("--metod", "--methods")),
    BadInput(
        "a GPU that is not there",
        run("--device cuda"),
        ("--device cuda", "finds no such device", "--device auto or cpu"),
    ),
    # --set and --data-option
    BadInput(
        "an unknown option of a method",
        run("--no-train --set unet.wdith=8", methods="unet"),
        ("--set unet.wdith", "Did you mean 'width'"),
    ),
    BadInput(
        "an unusable value of an option",
        run("--no-train --set unet.depth=9", methods="unet"),
        ("--set unet.depth=9", "less than or equal to 5"),
    ),
    BadInput("--set without a method", run("--set width=8"), ("--set width=8", "METHOD.option=value")),
    BadInput("--set for a method that does not run", run("--set unet.width=8"), ("--set unet", "no chain of this run")),
    BadInput(
        "an unknown option of a data set",
        run("--data-option scen=folder"),
        ("--data-option scen", "no option 'scen'", "Did you mean scene?"),
    ),
    BadInput(
        "an option of a data set that is not there", run("--data-option v40.clear=x"), ("no data set 'v40'", "paired")
    ),
    # Weights
    BadInput(
        "weights that are not there",
        run("--weights unet=none.pth", methods="unet"),
        ("none.pth", "there is no such weights file", "--weights METHOD=PATH"),
    ),
    BadInput("weights without a method", run("--weights damaged.pth"), ("--weights damaged.pth", "METHOD=PATH")),
    BadInput("weights for a method without any", run("--weights identity=damaged.pth"), ("identity takes no weights",)),
    BadInput(
        "damaged weights",
        run("--weights unet=damaged.safetensors", methods="unet"),
        ("damaged.safetensors: damaged", "Fetch it again"),
    ),
    BadInput(
        "weights that carry code",
        run("--weights unet=code.pth", methods="unet"),
        ("code.pth: refused", "would run code", "state dict alone"),
    ),
    BadInput(
        "weights of another architecture",
        run("--weights unet=other.pth --set unet.architecture=custom --set unet.width=8", methods="unet"),
        ("other.pth: the weights are of another architecture", "--set METHOD.option=value"),
        status=1,
    ),
    # Data
    BadInput(
        "a folder that is not there", run(data="synthetic:nowhere"), ("nowhere does not exist", "Check the spelling")
    ),
    BadInput("an empty folder", run(data="synthetic:empty"), ("empty holds no picture", ".png")),
    BadInput(
        "a file for a folder", run(data="real:pairs/rainy/photo0.png"), ("is a file, a folder of pictures is needed",)
    ),
    BadInput("a damaged picture", run(data="synthetic:damaged"), ("broken.jpg", "Mend or remove", "--skip-bad")),
    BadInput("a pair without its partner", run(data="paired:lonely"), ("photo2.png", "--skip-bad")),
    BadInput("a pair of two sizes", run(data="paired:sizes"), ("photo1.png", "--skip-bad")),
    BadInput(
        "a folder that has no pairs in it",
        run(data="paired:photos"),
        ("neither rainy/ and clear/", "paired:RAINY:CLEAR"),
    ),
    BadInput("v40 without its folders", run(data="v40:photos"), ("clear is missing", "--data-option v40.clear=NAME")),
    BadInput("no location", run(data="synthetic:"), ("names no location", "synthetic:PHOTOS")),
    BadInput("drawn scenes of no size", run(data="scenes:2x10x10"), ("scenes:2x10x10", "32 to 8192")),
    BadInput(
        "two data sets of one name", run("--data paired:more/pairs"), ("both be called paired:pairs", "Rename one")
    ),
    BadInput("the suite leaves the data to the user", "run --suite phase4", ("give --data",)),
    BadInput(
        "the same picture in training and test",
        run("--train-data paired:more/overlap --budget '1 steps'", methods="unet"),
        ("photo0.png of paired:pairs is in the test data", "paired:overlap", "Take it out"),
    ),
    # Methods that cannot be had
    BadInput(
        "a method without weights and --no-train",
        run("--no-train --set unet.architecture=custom --set unet.width=8", methods="unet"),
        ("nothing is trained with --no-train", "--weights unet=PATH"),
        status=1,
    ),
    # Folders of runs
    BadInput("--out is a file", run("--out key.toml"), ("--out key.toml is a file", "Give a folder")),
    BadInput("--out holds other files", run("--out photos"), ("--out photos holds files that are not of a run",)),
    BadInput("a report on no run", "report photos", ("photos is not a run", "run --out")),
    BadInput("a report on a damaged record", "report runs/record", ("run.json is damaged", "again")),
    BadInput("a report on a damaged table", "report runs/table", ("results.parquet is damaged", "again")),
    BadInput(
        "a report against a method that the run lacks",
        "report runs/good --reference nafnet",
        ("no method 'nafnet'", "--reference one of: identity"),
    ),
    BadInput("an export of no run", "export photos", ("photos is not a run", "run --out")),
    BadInput("Parquet to the terminal", "export runs/good --format parquet", ("no text for the terminal", "--out")),
    BadInput(
        "one row a picture as LaTeX", "export runs/good --format latex --what images", ("--format csv for images",)
    ),
    BadInput(
        "an export of a metric that was not scored", "export runs/good --metrics nope", ("no metric 'nope'", "It has:")
    ),
    BadInput("a comparison with no run", "compare runs/good photos", ("photos is not a run", "run --out")),
    BadInput("a negative number of clear pictures", run("--clear-input -1"), ("--clear-input -1", "0 or more")),
    BadInput("a study of a folder that is no run", "study new photos", ("photos is not a run", "run --out")),
    BadInput("a study of one method", "study new runs/good", ("no two methods", "more methods")),
    BadInput("a study without questions", "study new runs/good --questions 0", ("--questions 0", "1 or more")),
    BadInput(
        "a study of a method that is not in the run",
        "study new runs/good --methods identit",
        ("--methods identit", "not in runs/good", "Did you mean 'identity'?"),
    ),
    BadInput(
        "answers without a study",
        "study score code.pth --run runs/good",
        ("runs/good/study/key.json is not there", "study new RUN"),
    ),
    BadInput("answers that are not there", "study score none.json", ("none.json cannot be read", "leave the file out")),
    BadInput("a folder without answers", "study score photos", ("photos holds no .json file",)),
    BadInput("a report on a run that was stopped", "report runs/stopped", ("was stopped before its end", "it goes on")),
    # derain and synth
    BadInput(
        "derain: no input", "derain nowhere.png out.png --method identity", ("nowhere.png", "no such file or folder")
    ),
    BadInput(
        "derain: a file type", "derain photos/photo0.png out.gif --method identity", ("cannot write .gif", ".png")
    ),
    BadInput(
        "derain: no file type", "derain photos/photo0.png out --method identity", ("without an extension", ".png")
    ),
    BadInput(
        "derain: the output is there",
        "derain photos/photo0.png photos/photo1.png --method identity",
        ("photo1.png is there already", "--overwrite"),
    ),
    BadInput(
        "derain: onto its own input",
        "derain photos/photo0.png photos/photo0.png --method identity --overwrite",
        ("never onto the input itself",),
    ),
    BadInput(
        "derain: into its own input", "derain photos photos/out --method identity", ("lies in photos", "outside of it")
    ),
    BadInput("derain: a damaged picture", "derain damaged out --method identity", ("broken.jpg", "--skip-bad")),
    BadInput("synth: no photographs", "synth empty --out drawn", ("empty holds no picture",)),
    BadInput("synth: nothing to write to", "synth photos --out pairs", ("pairs",)),
    # Training
    BadInput("nothing to train on", "train unet", ("--data is missing", "--data synthetic:PHOTOS")),
    BadInput("a method that has nothing to train", train(method="identity"), ("identity cannot be trained",)),
    BadInput("a preset that does not exist", train("--preset phase3"), ("no such preset", "Did you mean 'phase2'?")),
    BadInput(
        "a hyperparameter that does not exist",
        train("--set training.learning_rat=1"),
        ("--set unet.training.learning_rat: no such hyperparameter", "Did you mean 'learning_rate'?"),
    ),
    BadInput(
        "a hyperparameter of a run that does not exist",
        run("--set unet.training.crops=64", methods="unet"),
        ("--set unet.training.crops: no such hyperparameter", "Did you mean 'crop'?"),
    ),
    BadInput("a loss that does not exist", train("--set training.losses=l1:1,vggg:1"), ("vggg", "Did you mean 'vgg'?")),
    BadInput(
        "crops that the network does not take",
        train("--set training.crop=100"),
        ("training.crop=100", "multiples of 32", "write 96"),
    ),
    BadInput(
        "crops that a loss does not take",
        train("--set training.crop=64 --set training.losses=l1:1,ms_ssim:1"),
        ("ms_ssim", "161"),
    ),
    BadInput("shares for other data", train("--mix 1,2"), ("--mix has 2 shares for 1 data sets", "give one to each")),
    BadInput("a share that is none", train("--mix x"), ("--mix x", "write positive numbers, as in 2,1")),
    BadInput("no time to train", train("--minutes 0"), ("a budget is a positive number",)),
    BadInput("half precision on a CPU", train("--precision fp16"), ("fp16 needs a GPU", "bf16 or fp32")),
    BadInput(
        "real photos that are missing", train("--set training.consistency=0.1"), ("consistency=0.1", "--real PHOTOS")
    ),
    BadInput(
        "one picture to train and validate on",
        train("--val-data paired:more/overlap"),
        ("the same picture is trained on", "Take it out of one of them"),
    ),
    BadInput("photos without truth to train on", train("--data real:photos"), ("--data real:photos", "Leave it out")),
    BadInput(
        "photos without truth to validate on",
        train("--val-data real:photos"),
        ("--val-data real:photos has no rainy pictures with their clear ones",),
    ),
    BadInput("minutes for several devices", train("--devices 2 --minutes 1"), ("several devices have a clock each",)),
    BadInput(
        "a training that is not there",
        "train unet --resume runs/nothing",
        ("nothing holds no training", "Give the folder of one"),
    ),
    BadInput(
        "a run for a training", "train unet --resume runs/good", ("runs/good holds no training (no training.json)",)
    ),
    BadInput(
        "a base model that is not there",
        train("--set diffusion.model=instruct-pix2pix --set diffusion.base=./nothing", method="unet+diffusion"),
        ("nothing: there is no such folder", "Give one in the diffusers layout"),
    ),
    BadInput(
        "a base model that is none",
        train("--set diffusion.model=instruct-pix2pix --set diffusion.base=./photos", method="unet+diffusion"),
        ("photos: no model in the diffusers layout", "no model_index.json", "Give the folder that has it"),
    ),
    BadInput(
        "a base model that was never fetched",
        train("--set diffusion.model=instruct-pix2pix", method="unet+diffusion"),
        ("--download", "https://huggingface.co/timbrooks/instruct-pix2pix", "--set diffusion.model=bridge"),
    ),
    BadInput(
        "one step from noise",
        run(
            "--set diffusion.model=instruct-pix2pix --set diffusion.strength=1 --set diffusion.steps=1",
            methods="unet+diffusion",
        ),
        (
            "--set diffusion.model, diffusion.strength, diffusion.steps: strength 1 starts from noise",
            "which one step cannot clear: 2 steps or more",
        ),
    ),
    BadInput(
        "several steps of what knows one",
        run(
            "--set diffusion.model=instruct-pix2pix --set diffusion.train_on=pixels --set diffusion.steps=4",
            methods="unet+diffusion",
        ),
        ("steps 4: what is trained on pixels knows one step", "Leave steps out"),
    ),
    BadInput(
        "samples of what draws no noise",
        run("--set diffusion.average=4", methods="unet+diffusion"),
        ("--set diffusion.average: average 4: no noise is drawn", "Give eta above 0 and 2 steps or more"),
    ),
    BadInput(
        "joint training of a single stage", train("--joint"), ("--joint", "unet has no stage before it", "Leave it out")
    ),
    BadInput("folds for a single stage", train("--folds 3"), ("--folds 3", "Leave it out")),
    BadInput("no sample", run("--samples 0"), ("--samples 0", "1 or more")),
    BadInput("two folders for a training", train("--resume runs/x"), ("--resume goes on in its own folder", "--out")),
    BadInput(
        "losses for a method that brings its own",
        train("--set training.losses=l1:1", method="rescan"),
        ("rescan.training.losses", "trained on the mean squared error of the rain", "leave it out"),
    ),
    # Methods of files, other people's weights
    BadInput("a file that is not there", run(methods="checkpoint:none.pth"), ("checkpoint:none.pth", "no such file")),
    BadInput(
        "a method of a file, without the file",
        run(methods="checkpoint"),
        ("'checkpoint' needs a file", "write checkpoint:PATH"),
    ),
    BadInput(
        "a file of a method that takes none", run(methods="unet:other.pth"), ("'unet' takes no file behind a colon",)
    ),
    BadInput("weights of nobody", "weights fetch prenett", ("'prenett'", "Did you mean 'prenet' or")),
    BadInput(
        "an address that does not exist",
        "weights fetch prenet:rain100",
        ("prenet:rain100: no such address", "Did you mean 'rain100h'?"),
    ),
    BadInput("weights that have no address", "weights fetch unet", ("unet names no address", "weights add")),
    BadInput("nothing to fetch", "weights fetch", ("name methods", "--all")),
    BadInput(
        "other weights added", "weights add prenet other.pth", ("other.pth", "the weights are of another architecture")
    ),
    BadInput("weights added to a method without any", "weights add median other.pth", ("median takes no weights",)),
    BadInput(
        "a folder without any of the papers' sets",
        run(data="rain13k:photos"),
        ("photos holds none of Test100", "paired:"),
    ),
    # Plugins
    BadInput("a plugin's name that is none", "plugin new My_Derain", ("'My_Derain' is no usable name", "my-derain")),
    BadInput("a plugin's name that is taken", "plugin new unet", ("'unet' already", "another name")),
    BadInput("a kind of plugin that does not exist", "plugin new x --kind metrc", ("metrc", "Did you mean 'metric'?")),
    BadInput("a plugin where something is", "plugin new my-derain --out photos", ("photos is there already", "--out")),
    BadInput("checking nothing", "plugin check unett", ("'unett'", "Did you mean 'unet'?")),
    BadInput(
        "an option of a method that is not checked",
        "plugin check median --set unet.depth=4",
        ("that method is not checked", "Checked: median"),
    ),
)


def lay_out(here: Path, run_folder: Path) -> None:
    """Fill ``here``, which holds photos/ and pairs/ already; ``run_folder`` is a finished run."""
    (here / "empty").mkdir()
    picture = cv2.imread(str(here / "photos" / "photo0.png"))

    def copy(source: str, target: str) -> None:
        (here / target).parent.mkdir(parents=True, exist_ok=True)
        (here / target).write_bytes((here / source).read_bytes())

    copy("photos/photo0.png", "damaged/whole.png")
    whole = cv2.imencode(".jpg", picture)[1].tobytes()
    (here / "damaged" / "broken.jpg").write_bytes(whole[: len(whole) // 2])
    for number in range(3):
        for part in ("rainy", "clear"):
            for pair in ("lonely", "sizes"):
                copy(f"pairs/{part}/photo{number}.png", f"{pair}/{part}/photo{number}.png")
            copy(f"pairs/{part}/photo{number}.png", f"more/overlap/{part}/photo{number}.png")
            copy(f"pairs/{part}/photo{number}.png", f"more/pairs/{part}/other{number}.png")
    (here / "lonely" / "clear" / "photo2.png").unlink()
    cv2.imwrite(str(here / "sizes" / "clear" / "photo1.png"), np.zeros((30, 30, 3), np.uint8))
    (here / "key.toml").write_text('metod = ["unet"]\n')
    (here / "value.toml").write_text('[protocol]\nseed = "one"\n')
    (here / "broken.toml").write_text("methods = [\n")
    (here / "damaged.pth").write_bytes(b"no weights")
    (here / "damaged.safetensors").write_bytes(b"\0" * 64)
    (here / "code.pth").write_bytes(pickle.dumps(_Code(here / "it-ran")))
    _write_other_weights(here / "other.pth")
    for name in ("record", "table"):
        (here / "runs" / name).mkdir(parents=True)
        for file in ("run.json", "results.parquet", "timings.parquet"):
            (here / "runs" / name / file).write_bytes((run_folder / file).read_bytes())
    (here / "runs" / "record" / "run.json").write_text('{"name": ')
    (here / "runs" / "table" / "results.parquet").write_bytes(b"PAR1 and then nothing")
    (here / "runs" / "stopped").mkdir()
    (here / "runs" / "stopped" / "events.jsonl").write_text("")


def _write_other_weights(path: Path) -> None:
    import torch

    torch.save({"layer.weight": torch.zeros(2, 2)}, path)


class _Code:
    """Unpickling this would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return os.system, (f"touch {self.path}",)
