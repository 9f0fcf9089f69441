"""What sqlfluff's Jinja templater lacks of dbt's ``adapter``: the dispatch of our own macros."""  # noqa: INP001  # sqlfluff reads loose files

from collections.abc import Callable

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, macro_name: str, _package: str) -> Callable[..., str]:
    """Return the DuckDB form of a macro in ``macros/cross_db``, as dbt does on that engine."""
    macro: Callable[..., str] = context[f"duckdb__{macro_name}"]
    return macro
