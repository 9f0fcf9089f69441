"""Singer state, taken apart by stream and put together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watershed_load_plan.state import COMMITTED, join, split, starting_point

pytestmark = pytest.mark.load

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab-ü"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=8,
)
states = st.fixed_dictionaries(
    {},
    optional={
        "bookmarks": st.dictionaries(st.text("ab-", min_size=1), json_values, min_size=1),
        "currently_syncing": st.none() | st.text("ab"),
        "last": json_values,
    },
)


@given(state=states)
def test_a_state_comes_back_as_it_was(state):
    assert join(split(state)) == state


def test_the_mark_of_a_target_is_no_part_of_the_state():
    assert split({"bookmarks": {"a": {"at": 1}}, COMMITTED: True}) == {"a": '{"at": 1}'}


@pytest.mark.parametrize(
    ("bookmark", "start"),
    [
        (None, None),
        ('{"replication_key_value": 5}', None),
        ('{"starting_replication_value": 3, "replication_key_value": 5}', "3"),
        ('"a text"', None),
    ],
)
def test_where_a_tap_began_is_read_from_its_bookmark(bookmark, start):
    assert starting_point(bookmark) == start
