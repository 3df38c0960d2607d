"""Row groups that were encoded apart are one file, as any reader of Parquet sees it."""

import io
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recontool.storage import compact
from recontool.storage.rowgroups import RowGroupWriter

SCHEMA = pa.schema(
    [
        ("at", pa.timestamp("us", tz="UTC")),
        ("name", pa.dictionary(pa.int32(), pa.string())),
        ("x", pa.float64()),
        ("b", pa.bool_()),
    ]
)
INTEGER = st.tuples(st.just(compact.Kind.I64), st.integers(-(2**63), 2**63 - 1))
TRUTH = st.booleans().map(lambda value: (compact.Kind.TRUE if value else compact.Kind.FALSE, value))
BYTES = st.tuples(st.just(compact.Kind.BINARY), st.binary(max_size=300))
DOUBLE = st.tuples(st.just(compact.Kind.DOUBLE), st.binary(min_size=8, max_size=8))
LEAVES = INTEGER | TRUTH | BYTES | DOUBLE


def structs(values):
    return st.dictionaries(st.integers(1, 400), values, max_size=8)


def lists(values):
    of_structs = structs(values).map(lambda one: (compact.Kind.STRUCT, one))
    kinds = st.sampled_from([INTEGER, TRUTH, BYTES, of_structs])
    return kinds.flatmap(lambda kind: st.lists(kind, max_size=20)).map(
        lambda items: (compact.Kind.LIST, (items[0][0] if items else compact.Kind.I64, [value for _, value in items]))
    )


VALUES = st.recursive(
    LEAVES, lambda inner: lists(inner) | structs(inner).map(lambda one: (compact.Kind.STRUCT, one)), max_leaves=30
)


def table(start, rows):
    names = pa.array([None if n % 7 == 0 else f"worker-{(start + n) % 5}" for n in range(rows)], pa.string())
    return pa.table(
        [
            pa.array(range(start, start + rows), pa.timestamp("us", tz="UTC")),
            names.dictionary_encode(),
            pa.array([None if n % 3 else n / 8 for n in range(rows)], pa.float64()),
            pa.nulls(rows, pa.bool_()),
        ],
        schema=SCHEMA,
    )


def written(tables, threads=2):
    out = io.BytesIO()
    with RowGroupWriter(out, SCHEMA, threads, compression="zstd", use_dictionary=["name"]) as writer:
        for one in tables:
            writer.write(one)
    return out.getvalue()


@given(structs(VALUES))
def test_a_struct_is_read_as_it_was_written(fields):
    assert compact.Reader(compact.encoded(fields)).struct() == fields


@pytest.mark.parametrize("kind", [0, 11, 13])
def test_what_is_not_known_is_refused(kind):
    with pytest.raises(ValueError, match=f"type {kind}"):
        compact.Reader(bytes([1 << 4 | compact.Kind.LIST, 1 << 4 | kind, 0, 0])).struct()


def test_a_footer_that_ends_within_a_value_is_refused():
    whole = compact.encoded({1: (compact.Kind.BINARY, b"parquet"), 2: (compact.Kind.I64, 5)})
    for size in range(len(whole)):
        with pytest.raises(IndexError):
            compact.Reader(whole[:size]).struct()


def test_a_footer_of_pyarrow_is_written_as_it_was_read():
    whole = written([table(0, 100)])
    size = int.from_bytes(whole[-8:-4], "little")
    footer = whole[-8 - size : -8]
    assert compact.encoded(compact.Reader(footer).struct()) == footer


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("sizes", [[], [0], [1], [1000], [3, 2000, 0, 1, 700, 64, 5000, 9]])
def test_rows_schema_and_statistics_are_those_of_one_writer(sizes, threads):
    tables = [table(sum(sizes[:at]), size) for at, size in enumerate(sizes)]
    data = written(tables, threads)
    expected = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
    found = pq.read_table(io.BytesIO(data))
    assert found.schema.equals(SCHEMA, check_metadata=True)
    assert found.to_pylist() == expected.to_pylist()
    described = pq.ParquetFile(io.BytesIO(data)).metadata
    groups = [described.row_group(at) for at in range(described.num_row_groups)]
    assert described.num_rows == sum(group.num_rows for group in groups) == len(expected)
    filled = [at for at in range(len(groups)) if groups[at].num_rows]
    assert len(filled) == len([size for size in sizes if size])
    for at in filled:
        alone = pq.ParquetFile(io.BytesIO(data)).read_row_group(at)
        assert groups[at].column(0).statistics.min == alone["at"][0].as_py()
        assert groups[at].column(0).statistics.max == alone["at"][-1].as_py()


def test_a_column_may_be_empty_in_some_groups_and_not_in_others():
    full, bare = table(0, 900), table(900, 900)
    bare = bare.set_column(2, SCHEMA.field("x"), pa.nulls(900, pa.float64()))
    nothing = pa.Table.from_arrays([pa.nulls(900, field.type) for field in SCHEMA], schema=SCHEMA)
    tables = [full, bare, nothing, bare.slice(0, 17), full, nothing]
    data = written(tables)
    assert pq.read_table(io.BytesIO(data)).equals(pa.concat_tables(tables))
    described = pq.ParquetFile(io.BytesIO(data)).metadata
    for at, one in enumerate(tables):
        group = described.row_group(at)
        chunks = [group.column(number) for number in range(group.num_columns)]
        assert [chunk.path_in_schema for chunk in chunks] == SCHEMA.names
        assert {chunk.num_values for chunk in chunks} == {one.num_rows}
        assert group.total_byte_size == sum(chunk.total_uncompressed_size for chunk in chunks)


def test_the_same_rows_give_the_same_bytes_whatever_the_threads():
    tables = [table(1000 * at, 1000) for at in range(9)]
    assert written(tables, 1) == written(tables, 4)


def test_a_full_disk_ends_it_with_its_error_and_no_thread_left():
    class Full(io.BytesIO):
        def write(self, data):
            if self.tell() + len(data) > 5000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    def fill():
        with RowGroupWriter(Full(), SCHEMA, 2) as writer:
            for at in range(100):
                writer.write(table(1000 * at, 1000))

    before = threading.active_count()
    with pytest.raises(OSError, match="No space"):
        fill()
    assert threading.active_count() == before
