"""Singer state, a bookmark per stream, so that one stream's never touches another's."""

from __future__ import annotations

import json
from typing import Any

import simplejson

REST = ""
"""The stream name under which all of a state that is no stream's bookmark is kept."""

COMMITTED = "watershed_committed"
"""Set in a STATE that a target prints after it has committed it to the warehouse itself.

Meltano hands each STATE that a target prints to the state backend. One that says so is already
there, and may meanwhile be older than what is there: it must not be written again.
"""


def split(state: dict[str, Any]) -> dict[str, str]:
    """Take a Singer state apart.

    Args:
        state: For example ``{"bookmarks": {"shop-orders": {…}}, "currently_syncing": null}``.

    Returns:
        Stream name to its bookmark as JSON text; under `REST` whatever else the state holds.
    """
    bookmarks = state.get("bookmarks")
    if not isinstance(bookmarks, dict):
        bookmarks = {}
    rest = {name: value for name, value in state.items() if name not in {"bookmarks", COMMITTED}}
    parts = {stream: _text(bookmark) for stream, bookmark in bookmarks.items()}
    if rest:
        parts[REST] = _text(rest)
    return parts


def join(parts: dict[str, str]) -> dict[str, Any]:
    """Put a Singer state together again from what `split` made of it."""
    state: dict[str, Any] = json.loads(parts.get(REST, "{}"))
    bookmarks = {stream: json.loads(text) for stream, text in parts.items() if stream != REST}
    if bookmarks:
        state["bookmarks"] = bookmarks
    return state


def starting_point(bookmark: str | None) -> str | None:
    """Read from a bookmark where the tap began, which SDK taps note in it; None if it does not."""
    if bookmark is None:
        return None
    value = json.loads(bookmark)
    if not isinstance(value, dict) or value.get("starting_replication_value") is None:
        return None
    return _text(value["starting_replication_value"])


def _text(value: Any) -> str:  # noqa: ANN401  # any JSON
    return simplejson.dumps(value, use_decimal=True, sort_keys=True, ensure_ascii=False)
