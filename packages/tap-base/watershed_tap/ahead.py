"""Reading on while what was read is written: else the source would stand idle meanwhile."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

BATCHES_AHEAD = 8


def read_ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the same batches in their order, with some more of them read already, by a thread.

    Raises:
        Exception: whatever reading raises, when its turn comes.
    """
    reader = ThreadPoolExecutor(1)
    try:
        waiting = deque(reader.submit(next, batches, None) for _ in range(BATCHES_AHEAD))
        while (batch := waiting.popleft().result()) is not None:
            waiting.append(reader.submit(next, batches, None))
            yield batch
    finally:  # the thread is through before anybody closes what it reads from
        reader.shutdown(cancel_futures=True)
