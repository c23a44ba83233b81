"""Freed memory stays with the process, so that taking it again costs no page faults."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from experiment_utils.allocator import keep_freed_memory

assert keep_freed_memory()
def fill():
    blocks = [np.ones(1_000_000) for _ in range(6)]  # 8 MB each
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked to keep memory")
def test_taking_freed_memory_again_costs_hardly_a_page_fault():
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert int(result.stdout) < 1000  # 20 times 6 blocks of 2,000 pages, were they handed back
