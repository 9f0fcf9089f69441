"""Names the machine by what matters for its speed."""

import os
import re
from pathlib import Path


def describe() -> str:
    """Say processor, cores and memory, e.g. ``AMD EPYC 7B13, 2 cores, 24 GiB``.

    No host name: the text is published.
    """
    processors = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", processors, re.MULTILINE)
    kilobytes = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    memory = round(int(kilobytes[1]) / 2**20) if kilobytes else 0
    cores = len(os.sched_getaffinity(0))
    return f"{model[1].strip() if model else 'unknown processor'}, {cores} cores, {memory} GiB"
