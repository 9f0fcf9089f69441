"""Writes the statements that hold no query: of transactions, settings, rights and upkeep."""

from redshift_standin.dialect.expressions import read_chain, write_name
from redshift_standin.dialect.queries import QueryWriter, source_of
from redshift_standin.dialect.tokens import (
    Group,
    Node,
    Nodes,
    is_round,
    keywords,
    literal,
    source,
    split_by_comma,
    syntax_error,
)
from redshift_standin.errors import RedshiftError

SETTINGS = frozenset(
    """
    application_name client_encoding datestyle extra_float_digits intervalstyle search_path
    statement_timeout timezone
    """.split()  # noqa: SIM905  # a list of words reads better
)
"""What PostgreSQL has too."""
OWN_SETTINGS = frozenset(
    """
    analyze_threshold_percent enable_case_sensitive_identifier enable_result_cache_for_session
    json_parse_truncate_strings query_group use wlm_query_slot_count
    """.split()  # noqa: SIM905  # a list of words reads better
)
"""What is remembered and does nothing."""
TRANSACTION_STATEMENTS = {
    "begin": ("", "transaction", "work"),
    "start": ("transaction",),
    "commit": ("", "transaction", "work"),
    "end": ("", "transaction", "work"),
    "rollback": ("", "transaction", "work"),
    "abort": ("", "transaction", "work"),
}
ISOLATION = ("read only", "read write", "isolation level serializable")
VACUUM_WORDS = ("full", "sort only", "delete only", "reindex", "recluster")


def read_table(nodes: Nodes, position: int) -> tuple[str, str, int]:
    """Read a table's name; returns how it is written, its last part, and where it ends."""
    chain, end = read_chain(nodes, position)
    if not chain[0].word:
        raise syntax_error(source(nodes[position : position + 1]))
    return ".".join(write_name(step) for step in chain), chain[-1].word, end


def read_names(node: Node) -> list[str]:
    """Read names between brackets."""
    assert isinstance(node, Group)
    parts = split_by_comma(node.nodes)
    for part in parts:
        if len(part) != 1 or not part[0].word:
            raise syntax_error(source(part))
    return [write_name(part[0]) for part in parts]


def write_truncate(nodes: Nodes) -> str:
    """Write a TRUNCATE."""
    table, _, end = read_table(nodes, 2 if nodes[1].keyword == "table" else 1)
    if end != len(nodes):
        raise syntax_error(source(nodes[end : end + 1]))
    return f"truncate table {table}"


def write_vacuum(nodes: Nodes) -> str:
    """Write a VACUUM."""
    words = keywords(nodes)
    position = 1
    for kind in VACUUM_WORDS:
        length = len(kind.split())
        if " ".join(words[1 : 1 + length]) == kind:
            position += length
            break
    if position == len(nodes):
        return "vacuum"
    table, _, end = read_table(nodes, position)
    rest = keywords(nodes[end:])
    if rest not in ([], ["boost"], ["to", "", "percent"], ["to", "", "percent", "boost"]):
        raise syntax_error(source(nodes[end : end + 1]))
    return f"vacuum {table}"


def write_analyze(nodes: Nodes) -> str:
    """Write a ANALYZE."""
    if keywords(nodes[1:2]) == ["compression"]:
        raise RedshiftError("the stand-in does not run ANALYZE COMPRESSION", "0A000")
    position = 2 if keywords(nodes[1:2]) == ["verbose"] else 1
    if position == len(nodes):
        return "analyze"
    table, _, end = read_table(nodes, position)
    columns = ""
    if end < len(nodes) and is_round(nodes[end]):
        columns = f" ({', '.join(read_names(nodes[end]))})"
        end += 1
    if keywords(nodes[end:]) not in ([], ["predicate", "columns"], ["all", "columns"]):
        raise syntax_error(source(nodes[end : end + 1]))
    return f"analyze {table}{columns}"


def write_transaction(nodes: Nodes) -> str:
    """Write a TRANSACTION."""
    words = keywords(nodes)
    rest = words[1:]
    allowed = TRANSACTION_STATEMENTS[words[0]]
    noise = rest[0] if rest and rest[0] in allowed else ""
    modes = " ".join(rest[1:] if noise else rest)
    if words[0] == "start" and not noise:
        raise syntax_error(modes)
    if modes and (words[0] not in ("begin", "start") or modes not in ISOLATION):
        raise syntax_error(modes.split()[0])
    verb = "begin" if words[0] == "start" else words[0]
    return f"{verb} {modes if modes in ISOLATION[:2] else ''}".rstrip()


def write_set(nodes: Nodes) -> str:
    """Write a SET."""
    words = keywords(nodes)
    position = 2 if words[1:2] in (["session"], ["local"]) else 1
    scope = "local " if words[1:2] == ["local"] else ""
    name = nodes[position].word
    if words[position : position + 2] == ["session", "characteristics"]:
        raise syntax_error("characteristics")
    equals = nodes[position + 1]
    if not equals.is_symbol("=") and equals.keyword != "to":
        raise syntax_error(source([equals]))
    value = source(nodes[position + 2 :])
    return f"set {scope}{_setting(name, value)} to {value}"


def _setting(name: str, value: str = "") -> str:
    if name == "enable_case_sensitive_identifier" and value.strip("'").lower() in ("true", "on"):
        raise RedshiftError("the stand-in folds every name: this setting stays off", "0A000")
    if name in SETTINGS:
        return name
    if name in OWN_SETTINGS:
        return f"redshift.{name}"
    raise RedshiftError(f'unrecognized configuration parameter "{name}"', "42704")


def write_reset(nodes: Nodes) -> str:
    """Write a RESET."""
    if keywords(nodes[1:]) == ["all"]:
        return "reset all"
    return f"reset {_setting(nodes[1].word)}"


def write_show(nodes: Nodes) -> str:
    """Write a SHOW."""
    if len(nodes) != 2:  # the verb and a name
        raise syntax_error(source(nodes[2:3]))
    name = nodes[1].word
    return "show server_version" if name == "server_version" else f"show {_setting(name)}"


def write_use(nodes: Nodes) -> str:
    """Write a USE."""
    return f"set redshift.use to {literal(nodes[1].word)}"


def write_grant(nodes: Nodes) -> str:
    """GROUP and ROLE before a name are left out: PostgreSQL has only roles."""
    words = keywords(nodes)
    place = words.index("to" if words[0] == "grant" else "from")
    kept = [
        node
        for position, node in enumerate(nodes)
        if position < place or node.keyword not in ("group", "role")
    ]
    return "".join(
        node.space + write_name(node) if node.word else source_of(node) for node in kept
    ).strip()


def write_comment(nodes: Nodes) -> str:
    """Write a COMMENT."""
    words = keywords(nodes)
    kinds = ("table", "column", "schema", "view", "database")
    if words[:2] != ["comment", "on"] or words[2] not in kinds:
        raise syntax_error(source(nodes[1:2]))
    chain, end = read_chain(nodes, 3)
    name = ".".join(write_name(step) for step in chain)
    return f"comment on {words[2]} {name} {source(nodes[end:])}"


def write_lock(nodes: Nodes) -> str:
    """Write a LOCK."""
    position = 2 if nodes[1].keyword == "table" else 1
    written = []
    for part in split_by_comma(nodes[position:]):
        chain, end = read_chain(part, 0)
        if end != len(part):
            raise syntax_error(source(part[end : end + 1]))
        written.append(".".join(write_name(step) for step in chain))
    return f"lock table {', '.join(written)}"


def write_declare(nodes: Nodes) -> str:
    """Write a DECLARE."""
    words = keywords(nodes)
    if words[2:4] != ["cursor", "for"]:
        raise syntax_error(source(nodes[2:3]))
    return f"declare {write_name(nodes[1])} cursor for {QueryWriter().write(nodes[4:])}"


def write_as_written(nodes: Nodes) -> str:
    """Write a AS WRITTEN."""
    return source(nodes)


def write_refresh(nodes: Nodes) -> str:
    """Write a REFRESH."""
    table, _, end = read_table(nodes, 3)
    if keywords(nodes[1:3]) != ["materialized", "view"] or end != len(nodes):
        raise syntax_error(source(nodes[1:2]))
    return f"refresh materialized view {table}"
