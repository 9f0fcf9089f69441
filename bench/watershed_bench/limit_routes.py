"""The limits: what the database and DuckDB take with no pipeline around them."""

from watershed_bench.arrivals import Destination
from watershed_bench.measure import Arguments, Command
from watershed_bench.routes import PROGRAMS, Route, environment, locked_version, login
from watershed_servers.programs import find_program


class Limit(Route):
    """DuckDB attaches the source and creates the table as a query of it."""

    name = "limit"
    tls = "verified: authority and host name"
    shown = "DuckDB: `attach … (type postgres \\| mysql)`, `create table … as from source.orders`"
    note = "no bookmark, no ledger, no check of values; jsonb arrives as text"

    @property
    def version(self) -> str:
        """DuckDB's."""
        return f"DuckDB {locked_version('limit', 'duckdb')}"

    def install(self) -> None:
        """Make the environment."""
        self._bin = environment(self.places, "limit")

    def destination(self) -> Destination:
        """The file."""
        return Destination(self.folder / "limit.duckdb", "main")

    def command(self, table: str) -> Command:
        """Tell how to copy ``table``."""
        program = PROGRAMS / "duckdb_limit.py"
        arguments: Arguments = [
            self._bin / "python",
            program,
            self.destination().file,
            table,
        ]
        return Command(arguments, login(self.source))


class Copy(Route):
    """The database's own client, whose output nobody reads."""

    name = "copy"
    tls = "verified: authority and host name"
    note = "reads only"

    @property
    def version(self) -> str:
        """The client comes with the server."""
        return "the server's own client"

    @property
    def shown(self) -> str:
        """The command."""
        if self.source.name == "postgres":
            return "`psql -c 'copy orders to stdout (format binary)' > /dev/null`"
        return "`mariadb --quick --batch -e 'select * from orders' > /dev/null`"

    def install(self) -> None:
        """Find the client."""
        name = {"postgres": "psql", "mysql": "mariadb"}[self.source.name]
        self._client = find_program(name)

    def command(self, table: str) -> Command:
        """Tell how to read ``table``."""
        database, ca_file = self.source.database, self.source.ca_file
        if self.source.name == "postgres":
            query = f"copy {self.source.schema}.{table} to stdout (format binary)"
            variables = {
                "PGHOST": database.host,
                "PGPORT": str(database.port),
                "PGUSER": database.user,
                "PGPASSWORD": database.password,
                "PGDATABASE": str(database.dbname),
                "PGSSLMODE": "verify-full",
                "PGSSLROOTCERT": str(ca_file),
            }
            copied: Arguments = [self._client, "--no-psqlrc", "-o", "/dev/null", "-c", query]
            return Command(copied, {**login(self.source), **variables})
        arguments: Arguments = [
            *(self._client, "--no-defaults", f"--host={database.host}", f"--port={database.port}"),
            *(f"--user={database.user}", f"--ssl-ca={ca_file}", "--ssl-verify-server-cert"),
            *("--quick", "--batch", "-e", f"select * from {table}", str(database.dbname)),
        ]
        silenced: Arguments = ["/bin/sh", "-c", 'exec "$@" > /dev/null', "sh", *arguments]
        return Command(silenced, {**login(self.source), "MYSQL_PWD": database.password})
