"""The types that Redshift has, and what each is in PostgreSQL."""

from redshift_standin.dialect.tokens import Nodes, is_round, keywords, source
from redshift_standin.errors import RedshiftError

MAXIMAL_VARCHAR = 65535
MAXIMAL_CHAR = 4096
MAXIMAL_PRECISION = 38

PLAIN = {
    **dict.fromkeys(("smallint", "int2"), "smallint"),
    **dict.fromkeys(("integer", "int", "int4"), "integer"),
    **dict.fromkeys(("bigint", "int8"), "bigint"),
    **dict.fromkeys(("real", "float4"), "real"),
    **dict.fromkeys(("double precision", "float8", "float"), "double precision"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    "date": "date",
    **dict.fromkeys(("time", "time without time zone"), "time"),
    **dict.fromkeys(("timetz", "time with time zone"), "timetz"),
    **dict.fromkeys(("timestamp", "timestamp without time zone"), "timestamp"),
    **dict.fromkeys(("timestamptz", "timestamp with time zone"), "timestamptz"),
    "super": "jsonb",
    **dict.fromkeys(("varbyte", "varbinary", "binary varying"), "bytea"),
    # Those of the catalog.
    **dict.fromkeys(("name", "oid", "regclass", "aclitem"), None),
}
"""Types without a length; None where both call it the same."""

VARCHARS = ("varchar", "character varying", "nvarchar", "text")
CHARS = ("char", "character", "nchar", "bpchar")
NUMERICS = ("numeric", "decimal")
WITH_LENGTH = (*VARCHARS, *CHARS, *NUMERICS, "varbyte", "varbinary", "binary varying")
LONGEST = max(len(name.split()) for name in (*PLAIN, *WITH_LENGTH))  # "timestamp without time zone"


def read_type(nodes: Nodes, start: int) -> tuple[str, int]:
    """Translate the type that begins at ``start``.

    Returns:
        PostgreSQL's type, and where the type ends.

    Raises:
        RedshiftError: Redshift has no such type, or not of this length.
    """
    words = keywords(nodes[start : start + LONGEST])
    for length in range(LONGEST, 0, -1):
        name = " ".join(words[:length])
        end = start + length
        if length > len(words) or not all(words[:length]):
            continue
        if name in WITH_LENGTH:
            arguments = None
            if end < len(nodes) and is_round(nodes[end]):
                arguments = source(nodes[end].nodes)  # type: ignore[union-attr]
                end += 1
            return _with_length(name, arguments), end
        if name in PLAIN:
            return PLAIN[name] or name, end
    raise RedshiftError(f'type "{source(nodes[start : start + 1])}" does not exist', "42704")


def _with_length(name: str, arguments: str | None) -> str:
    if name in NUMERICS:
        return _numeric(arguments)
    if name in VARCHARS:
        is_text = name == "text"
        if is_text and arguments is not None:
            raise RedshiftError('syntax error at or near "("', "42601")
        maximum = MAXIMAL_VARCHAR
        length = 256 if arguments is None else _length(arguments, "varchar", maximum)
        return f"varchar({length})"
    if name in CHARS:
        default = 256 if name == "bpchar" else 1
        return f"char({default if arguments is None else _length(arguments, 'char', MAXIMAL_CHAR)})"
    if arguments is not None:
        _length(arguments, "varbyte", 16_777_216)
    return "bytea"


def _length(text: str, type_name: str, maximum: int) -> int:
    if text.lower() == "max":
        return maximum
    if not text.isdigit() or int(text) == 0:
        raise RedshiftError(f"length for type {type_name} must be at least 1", "22023")
    if int(text) > maximum:
        raise RedshiftError(f"length for type {type_name} cannot exceed {maximum}", "22023")
    return int(text)


def _numeric(arguments: str | None) -> str:
    precision, _, scale = (arguments or "18,0").replace(" ", "").partition(",")
    scale = scale or "0"
    if not precision.isdigit() or not 1 <= int(precision) <= MAXIMAL_PRECISION:
        raise RedshiftError(
            f"DECIMAL precision {precision} must be between 1 and {MAXIMAL_PRECISION}", "22023"
        )
    if not scale.isdigit() or int(scale) > min(int(precision), MAXIMAL_PRECISION - 1):
        raise RedshiftError(
            f"DECIMAL scale {scale} must be between 0 and precision {precision}", "22023"
        )
    return f"numeric({precision},{scale})"
