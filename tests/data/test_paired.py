from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from drivederain.data.paired import Paired
from drivederain.data.paired_folders import find_paired_folders
from drivederain.data.sample import DataContext
from drivederain.errors import DataError


@pytest.fixture
def root(tmp_path, save, known_strata):
    """Nine pairs a0 to a8; the rainy pictures are light, medium and heavy in turn."""
    root = tmp_path / "set"
    for number in range(9):
        save(root / "clear" / f"a{number}.png", number)
        rainy = np.full((24, 32, 3), (40, 130, 220)[number % 3], np.uint8)
        rainy[0, 0] = number
        save(root / "rainy" / f"a{number}.png", pixels=rainy)
    return root


def samples_of(location, context, split="all"):
    (sample_set,) = Paired(str(location), context).sample_sets(split)
    return sample_set.samples


def test_pairs_of_a_root(root, context, known_strata, drawn):
    (sample_set,) = Paired(str(root), context).sample_sets("all")
    assert (sample_set.name, sample_set.has_truth, len(sample_set.samples)) == ("paired:set", True, 9)
    sample = sample_set.samples[4]
    assert (sample.image, sample.scene, sample.source_file) == ("a4", "a4", "rainy/a4.png")
    assert (sample.intensity, sample.intensity_source, sample.mask) == ("medium", "pair", None)
    np.testing.assert_array_equal(sample.clear.load(), drawn(4))
    assert sample.rainy.load()[5, 5, 0] == 130
    assert known_strata == ["pair"] * 9


def test_layouts(root, context, tmp_path):
    first = samples_of(root, context)
    location = f"{root / 'rainy'}:{root / 'clear'}"
    assert samples_of(location, context) == first
    (root / "rainy").rename(root / "input")
    (root / "clear").rename(root / "target")
    assert [sample.source_file for sample in samples_of(root, context)] == [f"input/a{n}.png" for n in range(9)]
    (root / "rainy").mkdir()
    (root / "clear").mkdir()
    with pytest.raises(DataError, match="say which with --data paired:RAINY:CLEAR"):
        Paired(str(root), context)


def test_locations(tmp_path, monkeypatch):
    for name in ("a:b", "c", "x/rainy", "x/clear"):
        (tmp_path / name).mkdir(parents=True)
    folders = find_paired_folders(f"{tmp_path / 'a:b'}:{tmp_path / 'c'}")
    assert (folders.rainy.name, folders.clear.name, folders.name) == ("a:b", "c", tmp_path.name)
    monkeypatch.chdir(tmp_path / "x")
    assert find_paired_folders("rainy:clear").records == tmp_path / "x"
    assert find_paired_folders(".").name == "x"
    with pytest.raises(DataError, match="same folder"):
        find_paired_folders("rainy:rainy")
    with pytest.raises(DataError, match="target does not exist"):
        find_paired_folders("rainy:target")
    with pytest.raises(DataError, match="no folder given: write --data paired:RAINY:CLEAR or --data paired:ROOT"):
        find_paired_folders("")
    with pytest.raises(DataError, match=r"D:\\clear does not exist|C:\\rainy does not exist"):
        find_paired_folders("C:\\rainy:D:\\clear")
    (tmp_path / "other" / "clean").mkdir(parents=True)
    with pytest.raises(DataError, match=r"neither rainy/ and clear/ nor input/ and target/ \(folders there: clean/\)"):
        find_paired_folders(str(tmp_path / "other"))


def test_drive_letters_are_no_separators(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # As Windows would read them; here they are folders of these names in the current one.
    for name in ("C:\\rainy", "D:\\clear"):
        (tmp_path / name).mkdir()
    folders = find_paired_folders("C:\\rainy:D:\\clear")
    assert (folders.rainy.name, folders.clear.name) == ("C:\\rainy", "D:\\clear")


def test_partners_across_suffixes_and_subfolders(tmp_path, save, context, known_strata):
    save(tmp_path / "rainy" / "night" / "a.jpg", 1)
    save(tmp_path / "clear" / "night" / "a.png", 1)
    (sample,) = samples_of(tmp_path, context)
    assert (sample.image, sample.scene, sample.clear.path.name) == ("night--a", "night", "a.png")


def test_one_clear_picture_for_three_intensities(tmp_path, save, context, known_strata):
    save(tmp_path / "clear" / "a.png", 1)
    for number, intensity in enumerate(("light", "medium", "heavy")):
        save(tmp_path / "rainy" / f"a@{intensity}.png", number + 2)
    samples = samples_of(tmp_path, context)
    assert [sample.image for sample in samples] == ["a@heavy", "a@light", "a@medium"]
    assert {sample.scene for sample in samples} == {"a"} and len({sample.content for sample in samples}) == 1
    assert context.problems == []


def test_missing_partners_and_sizes(root, context, save):
    (root / "clear" / "a3.png").unlink()
    (root / "rainy" / "a5.png").unlink()
    save(root / "clear" / "a7.png", 7, 20, 30)
    with pytest.raises(DataError) as error:
        samples_of(root, context)
    message = str(error.value)
    assert "3 files of" in message and "--skip-bad" in message
    assert "rainy/a3.png: it has no clear partner clear/a3 with any suffix" in message
    assert "clear/a5.png: it has no rainy partner rainy/a5 with any suffix" in message
    assert "rainy/a7.png: it is 32x24, its clear partner clear/a7.png 30x20 pixels" in message
    context.skip_bad = True
    assert [sample.image for sample in samples_of(root, context)] == ["a0", "a1", "a2", "a4", "a6", "a8"]
    assert {problem.file for problem in context.problems} == {"rainy/a3.png", "clear/a5.png", "rainy/a7.png"}


def test_a_corrupt_half_is_one_problem(root, context):
    (root / "clear" / "a1.png").write_bytes(b"x")
    (root / "rainy" / "a2.png").write_bytes(b"x")
    context.skip_bad = True
    assert len(samples_of(root, context)) == 7
    assert [problem.file for problem in context.problems] == ["rainy/a2.png", "clear/a1.png"]


def test_no_pair_at_all(tmp_path, save, context):
    save(tmp_path / "rainy" / "a.png")
    save(tmp_path / "clear" / "b.png")
    context.skip_bad = True
    with pytest.raises(DataError, match="no usable pair: partners have the same name without suffix"):
        samples_of(tmp_path, context)
    (tmp_path / "clear" / "b.png").unlink()
    with pytest.raises(DataError, match="clear holds no picture"):
        samples_of(tmp_path, context)


def test_masks(root, context, save, drawn):
    save(root / "masks" / "a2.png", pixels=drawn(2)[..., 0])
    samples = samples_of(root, context)
    assert [sample.mask is not None for sample in samples] == [n == 2 for n in range(9)]
    np.testing.assert_array_equal(samples[2].mask.load(), drawn(2)[..., 0])
    save(root / "masks" / "a4.png", 1, 10, 10)
    with pytest.raises(DataError, match=r"rainy/a4\.png: it is 32x24, its mask masks/a4\.png 10x10 pixels"):
        samples_of(root, context)


def test_recorded_intensities(root, context, known_strata):
    (root / "intensity.csv").write_text("image,intensity\na0,heavy\na1.png, light\n", encoding="utf-8")
    samples = samples_of(root, context)
    assert [(s.intensity, s.intensity_source) for s in samples[:3]] == [
        ("heavy", "recorded"),
        ("light", "recorded"),
        ("heavy", "pair"),
    ]
    assert len(known_strata) == 7
    rows = {"image": ["a0"], "intensity": ["medium"], "rain_rate_mm_h": [5.5]}
    pq.write_table(pa.table(rows), root / "parameters.parquet")
    assert samples_of(root, context)[0].intensity == "medium"
    assert samples_of(root, context)[0].parameters["rain_rate_mm_h"] == 5.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,intensity\na0,heavy\na1,strong\n", r"intensity\.csv, row 3: intensity 'strong' is none of light"),
        ("name,intensity\na0,heavy\n", r"intensity\.csv, row 2: it needs the columns 'image' and 'intensity'"),
    ],
)
def test_unusable_records(root, context, text, message):
    (root / "intensity.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        samples_of(root, context)
    (root / "parameters.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(DataError, match=r"parameters\.parquet is damaged"):
        samples_of(root, context)


def test_strata_are_remembered(root, context, known_strata):
    first = samples_of(root, context)
    assert samples_of(root, DataContext(context.cache, size=12))[0].intensity == first[0].intensity
    assert len(known_strata) == 9
    for entry in (context.cache / "strata").rglob("*.json"):
        entry.write_text('{"intensity": "wet", "source": "pair", "borderline": false}')
    assert samples_of(root, context) == first
    assert len(known_strata) == 18


def test_intensity_filter_and_limit(root, context, known_strata):
    context.intensities, context.limit = ("heavy",), 2
    samples = samples_of(root, context)
    assert len(samples) == 2 and {sample.intensity for sample in samples} == {"heavy"}
    context.intensities, context.limit = ("light", "medium", "heavy"), 4
    known_strata.clear()
    assert len(samples_of(root, context)) == 4
    assert len(known_strata) <= 4


def test_no_picture_of_the_intensity(root, context):
    for number in (2, 5, 8):
        (root / "rainy" / f"a{number}.png").unlink()
        (root / "clear" / f"a{number}.png").unlink()
    context.intensities = ("heavy",)
    with pytest.raises(DataError, match="no picture is heavy; there are 3 light, 3 medium"):
        samples_of(root, context)


def test_splits_are_by_clear_content(root, context):
    data = Paired(str(root), context)
    scenes = {split: {s.scene for s in data.sample_sets(split)[0].samples} for split in ("train", "val", "test")}
    assert {split: len(names) for split, names in scenes.items()} == {"train": 6, "val": 1, "test": 2}
    assert len(set.union(*scenes.values())) == 9


def test_the_same_pair_twice_is_noted(root, context):
    for folder in ("rainy", "clear"):
        (root / folder / "b.png").write_bytes((root / folder / "a4.png").read_bytes())
    assert len(samples_of(root, context)) == 10
    (problem,) = context.problems
    assert problem.file == "rainy/b.png" and "the same picture as rainy/a4.png" in problem.reason


def test_size_and_orientation(tmp_path, save, context, drawn, known_strata):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "rainy").mkdir()
    Image.fromarray(drawn(1, 24, 32)).save(tmp_path / "rainy" / "a.png", exif=exif)
    save(tmp_path / "clear" / "a.png", 2, 32, 24)
    context.size = 12
    (sample,) = samples_of(tmp_path, context)
    assert sample.rainy.load().shape == sample.clear.load().shape == (16, 12, 3) and sample.size == "12"
