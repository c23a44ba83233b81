"""Files cut off or changed anywhere are refused in one line; benchmarks/torture_datasets.py tries many more."""

import h5py
import numpy as np
import pytest

from benchmarks.torture_datasets import ROWS, SPEC, WRITERS, columns_of, judge
from lifelong_rl.data.datasets.files import DatasetError
from lifelong_rl.data.datasets.load import load_dataset

every_kind = pytest.mark.parametrize("kind", WRITERS)


@pytest.fixture
def whole(tmp_path, kind):
    """A file with nothing wrong."""
    WRITERS[kind](tmp_path / "whole", columns_of(ROWS))
    return tmp_path / "whole"


def refusal(path) -> str:
    """The one line with which the reader refuses a file; empty where it takes it."""
    try:
        load_dataset(path, SPEC)
    except DatasetError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        return str(error).removeprefix(f"{path}: ")
    return ""


@every_kind
def test_a_file_cut_off_anywhere_is_refused(whole):
    content, cut = whole.read_bytes(), whole.with_name("cut")
    assert refusal(whole) == ""
    for size in np.linspace(0, len(content) - 1, 100).astype(int):
        cut.write_bytes(content[:size])
        assert refusal(cut)


@every_kind
def test_a_changed_byte_is_refused_in_one_line_or_does_no_harm(whole):
    content, generator = whole.read_bytes(), np.random.default_rng(1)
    num_refused = 0
    for place in generator.integers(len(content), size=60):
        changed = bytearray(content)
        changed[place] ^= int(generator.integers(1, 256))
        whole.write_bytes(changed)
        num_refused += bool(refusal(whole))
    assert num_refused > 10


@every_kind
@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_script_and_reader_agree_on_a_file_that_is_cut_off(whole, share):
    content = whole.read_bytes()
    whole.write_bytes(content[: int(share * len(content))])
    assert judge(whole, "refused") == ("", True)


@every_kind
def test_script_and_reader_agree_on_a_whole_file(whole):
    assert judge(whole, "usable") == ("", False)
    assert "expected: refused" in judge(whole, "refused")[0]


@pytest.mark.parametrize("kind", ["HDF5 of ours"])
def test_changed_bytes_in_the_data_of_our_own_files_are_noticed(whole):
    with h5py.File(whole, "r") as file:
        offset = file["actions"].id.get_chunk_info(0).byte_offset
    content = bytearray(whole.read_bytes())
    content[offset + 100] ^= 4
    whole.write_bytes(content)
    assert refusal(whole).startswith("'actions' cannot be read from row 0: ")
