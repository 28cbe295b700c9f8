from __future__ import annotations

import gc
import math
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder
from drivederain.results.schema import RESULTS, TIMINGS, Row
from drivederain.results.store import ROW_GROUP, ResultsWriter, order_key, write_results, write_timings

ROW = Row(
    run="r",
    method="unet",
    key="k",
    dataset="d",
    split="all",
    image="a",
    scene="a",
    intensity="light",
    intensity_source="recorded",
    borderline=False,
    region="image",
    metric="psnr",
    variant="rgb",
    value=20.0,
    status="ok",
    reason="",
    stage="unet",
    sample=0,
    size="native",
    weights_class="shipped",
    budget="",
    seen=False,
    precision="fp32",
)
TIMING: dict[str, Any] = {
    name: 1.0 if str(column_type) == "double" else 1 if "int" in str(column_type) else "x"
    for name, column_type in zip(TIMINGS.names, TIMINGS.types, strict=True)
}


def row(**changes: Any) -> Row:
    return ROW._replace(**changes)


def test_any_order_of_rows_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = [row(image=image, metric=metric) for image in "cab" for metric in ("ssim", "psnr")]
    write_results(tmp_path / "one.parquet", rows)
    write_results(tmp_path / "two.parquet", rows[::-1])
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    table = pq.read_table(tmp_path / "one.parquet")
    assert table.schema.equals(RESULTS, check_metadata=True)
    assert table["image"].to_pylist() == ["a", "a", "b", "b", "c", "c"]


def many(count: int) -> list[Row]:
    return [row(image=f"{number:06d}", value=float(number), scene=f"s{number % 7}") for number in range(count)]


def test_rows_in_parts_give_the_bytes_of_rows_at_once(tmp_path: Path) -> None:
    rows = sorted([*many(ROW_GROUP + 5), row(method="a"), row(dataset="c", status="oom", value=None)], key=order_key)
    write_results(tmp_path / "once.parquet", rows[::-1])
    with ResultsWriter(tmp_path / "parts.parquet") as writer:
        for start in range(0, len(rows), 1000):
            writer.add(iter(rows[start : start + 1000]))
    assert (tmp_path / "once.parquet").read_bytes() == (tmp_path / "parts.parquet").read_bytes()
    assert writer.statuses == {"ok": ROW_GROUP + 6, "oom": 1}
    groups = pq.ParquetFile(tmp_path / "parts.parquet").metadata
    assert [groups.row_group(number).num_rows for number in range(groups.num_row_groups)] == [ROW_GROUP, 7]


def test_the_writer_holds_one_row_group(tmp_path: Path) -> None:
    with ResultsWriter(tmp_path / "results.parquet") as writer:
        for number, given in enumerate(many(ROW_GROUP + 10)):
            writer.add([given])
            assert len(writer._waiting) == (number + 1) % ROW_GROUP


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (row(image="a"), "two rows for d/all/unet/a"),
        (row(image="A"), "d/all/unet/A.* comes after d/all/unet/a"),
        (row(method="identity", image="z"), "comes after"),
        (row(image="b", value=None), "ok without a value"),
    ],
)
def test_a_refused_row_leaves_the_earlier_table(tmp_path: Path, second: Row, message: str) -> None:
    path = tmp_path / "results.parquet"
    path.write_bytes(b"of an earlier run")
    with pytest.raises(ValueError, match=message), ResultsWriter(path) as writer:
        writer.add([row()])
        writer.add([second])
    assert path.read_bytes() == b"of an earlier run"
    assert [file.name for file in tmp_path.iterdir()] == ["results.parquet"]


@pytest.mark.parametrize("where", ["as it opens", "in a block", "as it closes"])
def test_stopped_at_any_moment_it_leaves_the_earlier_table_and_says_nothing(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What pyarrow has not closed it closes when it is freed, and complains where the file is closed by then."""
    write_results(tmp_path / "results.parquet", [row()])
    before = (tmp_path / "results.parquet").read_bytes()
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    def write() -> None:
        with ResultsWriter(tmp_path / "results.parquet") as writer:
            writer.add([row(image="b")])
            if where == "in a block":
                raise KeyboardInterrupt

    with monkeypatch.context() as patched:

        def close(self: pq.ParquetWriter) -> None:
            patched.undo()
            raise KeyboardInterrupt

        def opened(*arguments: Any, **more: Any) -> pq.ParquetWriter:
            patched.undo()
            pq.ParquetWriter(*arguments, **more)
            raise KeyboardInterrupt

        if where == "as it closes":
            patched.setattr(pq.ParquetWriter, "close", close)
        if where == "as it opens":
            patched.setattr(pq, "ParquetWriter", opened)
        with pytest.raises(KeyboardInterrupt):
            write()
    gc.collect()
    assert not told
    assert (tmp_path / "results.parquet").read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_text_is_read_as_categories_in_order_and_only_the_columns_asked_for(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_results(run.results_parquet, [row(method=name, image=str(n)) for n in range(3) for name in ("unet", "b")])
    results = run.results(["method", "image", "value"])
    assert list(results.columns) == ["method", "image", "value"]
    assert list(results["method"]) == ["b"] * 3 + ["unet"] * 3
    assert list(results["method"].cat.categories) == ["b", "unet"]
    assert str(run.results()["run"].dtype) == "category"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_results(run.results_parquet, [row(value=math.inf), row(image="b", value=None, status="oom", reason="12 GB")])
    frame = run.results()
    assert frame["value"].iloc[0] == math.inf
    assert math.isnan(frame["value"].iloc[1])
    assert list(frame["reason"]) == ["", "12 GB"]
    assert [path.name for path in tmp_path.iterdir()] == ["results.parquet"]  # no temporary file stays


def test_no_rows_are_a_table_too(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_results(run.results_parquet, [])
    assert list(run.results().columns) == RESULTS.names


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(), row(value=21.0)], "two rows for d/all/unet/a"),
        ([row(value=None)], "ok without a value"),
        ([row(value=math.nan)], "ok without a value"),
        ([row(status="failed")], "status failed with the value 20.0"),
        ([row(status="broken")], "is none of ok, failed"),
    ],
)
def test_rows_that_break_the_contract_are_refused(tmp_path: Path, rows: list[Row], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_results(tmp_path / "results.parquet", rows)
    assert not (tmp_path / "results.parquet").exists()


def test_timings_are_sorted_and_their_columns_checked(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_timings(run.timings_parquet, [{**TIMING, "method": "unet"}, {**TIMING, "method": "identity"}])
    assert list(run.timings()["method"]) == ["identity", "unet"]
    with pytest.raises(ValueError, match="peak_memory_mb"):
        write_timings(
            run.timings_parquet, [{name: value for name, value in TIMING.items() if name != "peak_memory_mb"}]
        )


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.results_parquet.write_bytes(b"PAR1 but not really")
    with pytest.raises(DataError, match=r"results\.parquet is damaged"):
        run.results()
