"""The functions that the stand-in has: those whose meaning is Redshift's, and no other.

Three kinds: PostgreSQL's own where both mean the same, functions of the schema ``redshift``
(`database/functions.sql`) under their Redshift names, and those that are written otherwise.
"""

from collections.abc import Callable

from redshift_standin.dialect.tokens import Kind, Node, Token, keywords, source
from redshift_standin.dialect.types import read_type
from redshift_standin.errors import RedshiftError

SAME = frozenset(
    """
    abs ascii asin acos atan atan2 avg bool_and bool_or btrim cbrt ceil ceiling char_length
    character_length chr coalesce cos cot count cume_dist current_database current_schema
    current_schemas current_setting current_user date_part degrees dense_rank exp extract
    first_value floor format_type greatest has_schema_privilege lag
    last_value lead least length ln log lpad ltrim max md5 min mod nth_value ntile nullif
    obj_description octet_length percent_rank percentile_cont percentile_disc pg_backend_pid
    pg_get_expr pg_get_userbyid pg_get_viewdef pg_table_is_visible pg_terminate_backend pi
    position power quote_ident quote_literal radians random rank repeat replace reverse
    row_number rpad rtrim session_user sign sin sqrt stddev stddev_pop stddev_samp strpos
    substr substring sum tan to_date to_number to_timestamp translate trim var_pop var_samp
    variance now array_upper array_lower col_description generate_series
    """.split()  # noqa: SIM905  # a list of words reads better
)
"""Both mean the same by them, as far as Redshift's documents say."""

OURS = frozenset(
    """
    add_months any_value array_concat charindex convert_timezone get_array_length getdate
    has_table_privilege initcap is_array
    is_object is_scalar is_valid_json is_valid_json_array json_array_length
    json_extract_array_element_text json_parse json_serialize json_typeof last_day left len
    lower months_between pg_get_late_binding_view_cols regexp_count regexp_instr
    regexp_replace regexp_substr right round sha sha1 func_sha1 sha2 split_part strtol sysdate
    textlen to_char trunc to_hex upper version date_trunc
    """.split()  # noqa: SIM905  # a list of words reads better
)

NEED_FRAME = frozenset(
    """
    avg count first_value last_value max min nth_value stddev stddev_pop stddev_samp sum
    var_pop var_samp variance
    """.split()  # noqa: SIM905  # a list of words reads better
)
"""With an ORDER BY in their window, Redshift wants a frame too."""

LEADER_ONLY = frozenset({"generate_series", "now"})

Render = Callable[[list[Node]], str]
Arguments = list[list[Node]]

DATE_PARTS = {
    **dict.fromkeys(("year", "years", "y", "yr", "yrs"), "year"),
    **dict.fromkeys(("quarter", "quarters", "qtr", "qtrs"), "quarter"),
    **dict.fromkeys(("month", "months", "mon", "mons"), "month"),
    **dict.fromkeys(("week", "weeks", "w"), "week"),
    **dict.fromkeys(("day", "days", "d"), "day"),
    **dict.fromkeys(("hour", "hours", "h", "hr", "hrs"), "hour"),
    **dict.fromkeys(("minute", "minutes", "m", "min", "mins"), "minute"),
    **dict.fromkeys(("second", "seconds", "s", "sec", "secs"), "second"),
    **dict.fromkeys(
        ("millisecond", "milliseconds", "ms", "msec", "msecs", "msecond", "mseconds"), "millisecond"
    ),
    **dict.fromkeys(
        ("microsecond", "microseconds", "us", "usec", "usecs", "usecond"), "microsecond"
    ),
}


def render_call(name: str, arguments: Arguments, render: Render) -> str | None:
    """Write a call as PostgreSQL wants it.

    Args:
        name: in lower case.
        arguments: what stood between the commas.
        render: writes an argument.

    Returns:
        None for a function that is called as it is written.

    Raises:
        RedshiftError: Redshift has no such function, or the stand-in does not know it.
    """
    handler = SPECIAL.get(name)
    if handler is not None:
        return handler(name, arguments, render)
    if name in OURS:
        return f"redshift.{name}({', '.join(render(argument).strip() for argument in arguments)})"
    if name in SAME and name not in LEADER_ONLY:
        return None
    raise no_such_function(name)


def no_such_function(name: str) -> RedshiftError:
    """What Redshift says of a function that it does not have; some the stand-in just lacks."""
    return RedshiftError(
        f"function {name}() does not exist, or is not among those the stand-in knows", "42883"
    )


def _rendered(name: str, arguments: Arguments, render: Render, *counts: int) -> list[str]:
    if len(arguments) not in counts:
        raise RedshiftError(
            f"function {name}() does not exist with {len(arguments)} arguments", "42883"
        )
    return [render(argument).strip() for argument in arguments]


def _coalesce(name: str, arguments: Arguments, render: Render) -> str:
    del name
    return f"coalesce({', '.join(render(argument).strip() for argument in arguments)})"


def _nvl2(name: str, arguments: Arguments, render: Render) -> str:
    value, present, absent = _rendered(name, arguments, render, 3)
    return f"(case when ({value}) is not null then {present} else {absent} end)"


def _concat(name: str, arguments: Arguments, render: Render) -> str:
    """Of two, and NULL if one of them is: PostgreSQL's takes NULL for an empty text."""
    left, right = _rendered(name, arguments, render, 2)
    return f"(({left}) || ({right}))"


def _decode(name: str, arguments: Arguments, render: Render) -> str:
    """In which NULL equals NULL."""
    if len(arguments) < 3:  # a value, a search, a result
        raise no_such_function(name)
    value, *pairs = (render(argument).strip() for argument in arguments)
    default = pairs.pop() if len(pairs) % 2 else "null"
    cases = "".join(
        f" when ({value}) is not distinct from ({search}) then {result}"
        for search, result in zip(pairs[::2], pairs[1::2], strict=True)
    )
    return f"(case{cases} else {default} end)"


def _date_part(argument: list[Node]) -> str:
    if len(argument) == 1 and isinstance(argument[0], Token):
        token = argument[0]
        name = token.text.strip("'").lower() if token.kind is Kind.STRING else token.word
        if name in DATE_PARTS:
            return DATE_PARTS[name]
    raise RedshiftError(f"invalid datepart {source(argument)}", "22023")


def _dates(name: str, arguments: Arguments, render: Render) -> str:
    if len(arguments) != 3:  # a part, then two of numbers and moments
        raise no_such_function(name)
    function = {"date_add": "dateadd", "date_diff": "datediff"}.get(name, name)
    first, second = (render(argument).strip() for argument in arguments[1:])
    if function == "datediff":
        first = _as_moment(arguments[1], first)
    second = _as_moment(arguments[2], second)
    return f"redshift.{function}('{_date_part(arguments[0])}', {first}, {second})"


def _as_moment(argument: list[Node], rendered: str) -> str:
    """A literal has no type that would choose between date, timestamp and timestamptz."""
    if len(argument) == 1 and isinstance(argument[0], Token) and argument[0].kind is Kind.STRING:
        return f"{rendered}::timestamp"
    return rendered


def _cast(name: str, arguments: Arguments, render: Render) -> str:
    nodes = arguments[0] if len(arguments) == 1 else []
    words = keywords(nodes)
    if "as" not in words:
        raise RedshiftError(f"syntax error in {name}()", "42601")
    place = len(words) - 1 - words[::-1].index("as")
    type_name, end = read_type(nodes, place + 1)
    if end != len(nodes):
        raise RedshiftError(f'syntax error at or near "{source(nodes[end:])}"', "42601")
    return cast_to(nodes[:place], type_name, render)


def cast_to(value: list[Node], type_name: str, render: Render) -> str:
    """Cast; a literal to SUPER is a text there, not a document to parse."""
    text = render(value).strip()
    if type_name == "jsonb" and len(value) == 1 and isinstance(value[0], Token):
        if value[0].kind is Kind.STRING:
            text += "::text"
        elif value[0].kind is Kind.NUMBER:
            text += "::numeric"
    return f"cast({text} as {type_name})"


def _convert(name: str, arguments: Arguments, render: Render) -> str:
    if len(arguments) < 2:  # a type and a value
        raise no_such_function(name)
    *type_parts, value = arguments
    # numeric(10, 2) holds its comma in brackets, so a type is one part.
    if len(type_parts) != 1:
        raise no_such_function(name)
    type_name, _ = read_type(type_parts[0], 0)
    return cast_to(value, type_name, render)


def _listagg(name: str, arguments: Arguments, render: Render) -> str:
    """Its brackets stay open: ORDER BY of WITHIN GROUP goes inside (`expressions`)."""
    if not 1 <= len(arguments) <= 2:  # a value and a delimiter
        raise no_such_function(name)
    value = arguments[0]
    distinct = ""
    if value and value[0].keyword == "distinct":
        distinct, value = "distinct ", value[1:]
    delimiter = render(arguments[1]).strip() if len(arguments) > 1 else "''"
    return f"string_agg({distinct}({render(value).strip()})::text, {delimiter}"


def _median(name: str, arguments: Arguments, render: Render) -> str:
    (value,) = _rendered(name, arguments, render, 1)
    return f"percentile_cont(0.5) within group (order by {value})"


def _json_path_text(name: str, arguments: Arguments, render: Render) -> str:
    """The last argument may say that invalid JSON is NULL rather than an error."""
    if len(arguments) < 2:  # a text and a path
        raise no_such_function(name)
    is_null_if_invalid = "false"
    if keywords(arguments[-1]) in (["true"], ["false"]):
        is_null_if_invalid = arguments[-1][0].keyword
        arguments = arguments[:-1]
    text, *path = (render(argument).strip() for argument in arguments)
    return f"redshift.{name}({text}, array[{', '.join(path)}]::text[], {is_null_if_invalid})"


def _array(name: str, arguments: Arguments, render: Render) -> str:
    del name
    values = ", ".join(cast_to(argument, "jsonb", render) for argument in arguments)
    return f"jsonb_build_array({values})"


def string_as_super(token: Token) -> str:
    """A string beside a SUPER value is compared as a text."""
    return f"to_jsonb({token.text}::text)"


SPECIAL: dict[str, Callable[[str, Arguments, Render], str]] = {
    "nvl": _coalesce,
    "nvl2": _nvl2,
    "concat": _concat,
    "decode": _decode,
    "datediff": _dates,
    "date_diff": _dates,
    "dateadd": _dates,
    "date_add": _dates,
    "cast": _cast,
    "convert": _convert,
    "listagg": _listagg,
    "median": _median,
    "json_extract_path_text": _json_path_text,
    "array": _array,
}
