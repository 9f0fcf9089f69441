"""The same company through both targets and both dbt adapters: every table holds the same.

The reasons for what may differ stand in `parity.py`. The other engine is Redshift's stand-in.
"""

import pytest

pytestmark = pytest.mark.redshift

RELATIONS = 60
"""There are at least as many."""


def test_after_a_first_run_both_warehouses_hold_the_same(prod):
    run, printed = prod
    assert "green: " in printed
    assert "published " in printed
    differences, compared = run.differences()
    assert differences == []
    assert compared >= RELATIONS


def test_days_later_both_warehouses_hold_the_same(prod_days_later):
    differences, compared = prod_days_later.differences()
    assert differences == []
    assert compared >= RELATIONS
