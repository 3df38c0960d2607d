"""Snapshots come back as they were written, and appear whole."""

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recontool.model.catalogue import CATALOGUE
from recontool.model.errors import UsageError
from recontool.storage import files, snapshots
from recontool.storage.snapshots import Sample

DAY_US = 86_400_000_000
NEW_YEAR_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z

VALUES = {
    name: st.none() | (st.integers(0, 2**62) if metric.unit == "count" else st.floats(allow_nan=False))
    for name, metric in CATALOGUE.items()
}
SAMPLES = st.lists(
    st.builds(
        Sample,
        at_us=st.integers(NEW_YEAR_US, NEW_YEAR_US + 3 * DAY_US),
        worker=st.sampled_from(["w-1", "w-2", "w:3"]),
        metrics=st.fixed_dictionaries({}, optional=VALUES),
    ),
    max_size=20,
)


def plain(samples):
    return sorted(repr((s.at_us, s.worker, [(name, s.metrics.get(name)) for name in CATALOGUE])) for s in samples)


def samples_of(table):
    times = table["at"].cast(pa.int64()).to_pylist()
    return [Sample(at, row["worker"], row) for at, row in zip(times, table.to_pylist(), strict=True)]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SAMPLES)
def test_what_is_read_is_what_was_written(tmp_path_factory, samples):
    folder = tmp_path_factory.mktemp("snapshots")
    snapshots.write(folder, samples)
    assert plain(samples_of(snapshots.read(snapshots.files(folder)))) == plain(samples)


def test_days_are_folders_and_rows_go_by_worker_then_time(tmp_path):
    late, early = NEW_YEAR_US + DAY_US, NEW_YEAR_US + DAY_US - 1
    samples = [
        Sample(late, "w-1", {"messages_sent": 2}),
        Sample(early, "w-2", {"messages_sent": 1}),
        Sample(early, "w-1", {"avg_message_latency_ms": math.nan}),
    ]
    paths = snapshots.write(tmp_path, samples)
    assert [path.parent.name for path in paths] == ["date=2026-01-01", "date=2026-01-02"]
    first = snapshots.read(paths[:1])
    assert first["worker"].to_pylist() == ["w-1", "w-2"]
    assert first["messages_sent"].to_pylist() == [None, 1]
    assert math.isnan(first["avg_message_latency_ms"][0].as_py())
    assert snapshots.files(tmp_path) == paths


def test_a_file_says_its_schema_and_is_zstd(tmp_path):
    (path,) = snapshots.write(tmp_path, [Sample(NEW_YEAR_US, "w-1", {})])
    with pq.ParquetFile(path) as file:
        assert file.schema_arrow.metadata[snapshots.VERSION_KEY] == b"1"
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        assert file.schema_arrow.names == ["at", "worker", *CATALOGUE]
        assert str(file.schema_arrow.field("at").type) == "timestamp[us, tz=UTC]"


def test_two_batches_that_begin_at_one_instant_do_not_overwrite(tmp_path):
    paths = [path for worker in ("a", "b") for path in snapshots.write(tmp_path, [Sample(NEW_YEAR_US, worker, {})])]
    assert len(set(paths)) == 2
    assert snapshots.read(paths)["worker"].to_pylist() == ["a", "b"]


def test_nothing_written_reads_as_an_empty_table(tmp_path):
    assert snapshots.write(tmp_path, []) == []
    assert snapshots.read([]).num_rows == 0


@pytest.mark.parametrize("kind", ["garbage", "foreign"])
def test_other_files_are_refused_by_name(tmp_path, kind):
    path = tmp_path / "x.parquet"
    if kind == "garbage":
        path.write_bytes(b"PAR1 not really")
    else:
        pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(UsageError, match=r"x\.parquet"):
        snapshots.read([path])


def test_a_write_that_fails_leaves_the_old_content_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "kept.json"
    files.write_whole(path, b"old")

    def broken(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", broken)
    with pytest.raises(OSError, match="No space"):
        files.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.json"]
