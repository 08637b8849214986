"""Content in the lines of a log, in parts, and addresses in a termination message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.errors import TransientError
from phase2.runs.transfer.frames import from_lines, to_lines
from phase2.runs.transfer.offer import pack_addresses, unpack_addresses
from phase2.runs.transfer.parts import PART_BYTES, part_count, part_spans


@given(st.binary(max_size=20_000), st.lists(st.text(alphabet="abc: ", max_size=20), max_size=5))
def test_content_survives_a_log_with_other_lines(content, others):
    lines = list(to_lines(content))
    mixed = [line for pair in zip(lines, [*others, *[""] * len(lines)], strict=False) for line in pair]
    assert from_lines(mixed) == content
    assert all(len(line) < 16 << 10 for line in lines)


@pytest.mark.parametrize(
    "harm", [lambda lines: lines[1:], lambda lines: lines[:-1], lambda lines: [lines[0][:-5], *lines[1:]]]
)
def test_a_log_that_lost_something_is_an_error(harm):
    lines = list(to_lines(bytes(range(256)) * 100))
    with pytest.raises(TransientError, match="does not have all"):
        from_lines(harm(lines))


@given(st.lists(st.integers(0, 50), max_size=6), st.integers(1, 20))
def test_parts_are_the_files_one_after_the_other(sizes, part_bytes):
    files = [bytes([file]) * size for file, size in enumerate(sizes)]
    parts = [
        b"".join(
            files[span.file][span.start : span.start + span.length] for span in part_spans(sizes, index, part_bytes)
        )
        for index in range(part_count(sizes, part_bytes))
    ]
    assert b"".join(parts) == b"".join(files)
    assert all(len(part) == part_bytes for part in parts[:-1])


def test_a_part_fits_into_a_log_that_is_rotated_at_10_mib():
    header = len("2026-01-01T00:00:00.000000000Z stdout F ")  # of each line, in the format of the container runtimes
    assert sum(len(line) + header + 1 for line in to_lines(bytes(PART_BYTES))) < 10 << 20


def test_addresses_of_a_run_fit_into_a_termination_message():
    query = "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Expires=600"
    base = f"https://phase2.s3.us-east-1.amazonaws.com/team/multitask_cgcnn/run_1?{query}"
    addresses = [f"{base}/file_{n}&X-Amz-Signature={n * 7919:064x}" for n in range(30)]
    packed = pack_addresses(addresses)
    assert packed is not None
    assert unpack_addresses(packed) == addresses
    assert unpack_addresses("error: the bucket is away") is None
    with pytest.raises(TransientError):
        unpack_addresses(packed[:-40])
