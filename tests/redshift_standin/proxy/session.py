"""One client's session: its messages, translated, to PostgreSQL, and the answers back."""

import asyncio
import contextlib
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from redshift_standin.dialect.statements import (
    CopyStatement,
    Statement,
    Translated,
    UnloadStatement,
    translate,
)
from redshift_standin.dialect.tokens import literal
from redshift_standin.errors import RedshiftError
from redshift_standin.proxy import messages
from redshift_standin.proxy.jobs import CopyJob, Job, Resources, UnloadJob, write_table
from redshift_standin.proxy.messages import Message
from redshift_standin.transfer import TargetColumn, parse_copy, parse_unload

STARTUP_KEYS = ("user", "database", "application_name", "client_encoding", "options")
"""All that PostgreSQL is told of what a client says of itself."""
PASSWORD_ADDRESS = "127.0.0.1"  # noqa: S105  # where passwords are asked for
TRUSTED_ADDRESS = "127.0.0.2"
"""From here PostgreSQL lets in whom IAM has let in (`standin.ACCESS_RULES`)."""
IAM_PREFIXES = ("IAM:", "IAMA:")
VERSION = "8.0.2"
COLUMNS = """
select attrelid::integer, attname, format_type(atttypid, atttypmod), attnotnull, pg_backend_pid()
from pg_attribute where attrelid = {}::regclass and attnum > 0 and not attisdropped order by attnum
"""
BYTES_A_TIME = 1 << 20


@dataclass(frozen=True)
class Backend:
    """Where PostgreSQL is."""

    host: str
    port: int
    resources: Resources


class Session:
    """Runs until the client or PostgreSQL hangs up.

    Args:
        backend: PostgreSQL and what COPY needs.
        tls: the server's side of TLS.
        reader: from the client.
        writer: to the client.
    """

    def __init__(
        self,
        backend: Backend,
        tls: ssl.SSLContext,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._backend = backend
        self._tls = tls
        self._from_client = reader
        self._to_client = writer
        self._refusals: dict[str, RedshiftError] = {}
        self._statements: dict[bytes, Job] = {}
        self._portals: dict[bytes, Job] = {}
        self._job: Job | None = None
        self._is_copied = asyncio.Event()
        self._is_copied.set()
        self._expected_ready = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._captured: list[Message] | None = None
        self._is_captured = asyncio.Event()
        self._after_ready = ""
        self._state = b"I"

    async def run(self) -> None:
        """Serve the client to the end."""
        opened = await self._open()
        if not opened:
            return
        tasks = [
            asyncio.create_task(self._serve_client()),
            asyncio.create_task(self._serve_backend()),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            expected = (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError)
            if isinstance(result, BaseException) and not isinstance(result, expected):
                raise result
        self._to_backend.close()

    async def _open(self) -> bool:
        code, body = await messages.read_startup(self._from_client)
        while code in (messages.SSL_REQUEST, messages.GSS_REQUEST):
            self._to_client.write(b"S" if code == messages.SSL_REQUEST else b"N")
            await self._to_client.drain()
            if code == messages.SSL_REQUEST:
                await self._to_client.start_tls(self._tls)
            code, body = await messages.read_startup(self._from_client)
        if code == messages.PROTOCOL:
            given = messages.parameters(body)
            user = given.get("user", "")
            is_trusted = user.startswith(IAM_PREFIXES)
            if user.startswith("IAMA:"):
                await asyncio.to_thread(self._create_user, user.partition(":")[2])
            given["user"] = user.partition(":")[2] if is_trusted else user
            pairs = (name + "\0" + given[name] + "\0" for name in STARTUP_KEYS if name in given)
            body = "".join(pairs).encode() + b"\0"
        else:
            is_trusted = False
        self._from_backend, self._to_backend = await asyncio.open_connection(
            self._backend.host,
            self._backend.port,
            local_addr=(TRUSTED_ADDRESS if is_trusted else PASSWORD_ADDRESS, 0),
            limit=BYTES_A_TIME,
        )
        self._to_backend.write(messages.startup(code, body))
        await self._to_backend.drain()
        if code == messages.CANCEL_REQUEST:
            await self._from_backend.read()
            self._to_backend.close()
        return code != messages.CANCEL_REQUEST

    def _create_user(self, name: str) -> None:
        """IAMA: is the user whom IAM creates at the first log-in."""
        address = self._backend.resources.administrator
        with psycopg.connect(address, autocommit=True) as connection:
            known = connection.execute("select from pg_roles where rolname = %s", [name]).fetchone()
            if known is None:
                role = psycopg.sql.Identifier(name)
                connection.execute(psycopg.sql.SQL("create role {} login").format(role))

    async def _serve_client(self) -> None:
        while True:
            message = await messages.read(self._from_client)
            await self._is_copied.wait()
            if message.kind == b"Q":
                sql, job = await self._translate(message.body[:-1].decode())
                if job is not None:
                    self._begin(job)
                message = Message(b"Q", messages.text(sql))
            elif message.kind == b"P":
                name, statement, rest = message.body.split(b"\0", 2)
                sql, job = await self._translate(statement.decode())
                self._note(self._statements, name, job)
                message = Message(b"P", name + b"\0" + messages.text(sql) + rest)
            elif message.kind == b"B":
                portal, name, _ = message.body.split(b"\0", 2)
                self._note(self._portals, portal, self._statements.get(name))
            elif message.kind == b"E":
                job = self._portals.get(message.body.split(b"\0", 1)[0])
                if job is not None:
                    self._begin(job)
            if message.kind in (b"Q", b"S"):
                self._expected_ready += 1
                self._is_idle.clear()
            self._to_backend.write(message.encode())
            await self._to_backend.drain()

    @staticmethod
    def _note(jobs: dict[bytes, Job], name: bytes, job: Job | None) -> None:
        jobs.pop(name, None)
        if job is not None:
            jobs[name] = job

    def _begin(self, job: Job) -> None:
        """While rows go to PostgreSQL nothing else may: it would be lost among them."""
        self._job = job
        if isinstance(job, CopyJob):
            self._is_copied.clear()

    async def _translate(self, text: str) -> tuple[str, Job | None]:
        try:
            statements = translate(text)
            if len(statements) == 1 and not isinstance(statements[0], Translated):
                job = await self._prepare(statements[0])
                return job.sql, job
            return self._join(statements), None
        except RedshiftError as refusal:
            return self._refuse(refusal), None
        except Exception as failure:  # noqa: BLE001  # a fault of ours must not look like a result
            return self._refuse(RedshiftError(f"the stand-in failed: {failure!r}")), None

    @staticmethod
    def _join(statements: Sequence[Statement]) -> str:
        if not all(isinstance(statement, Translated) for statement in statements):
            raise RedshiftError("COPY and UNLOAD come alone", "0A000")
        return "; ".join(statement.sql for statement in statements)

    def _refuse(self, refusal: RedshiftError) -> str:
        """A statement that PostgreSQL cannot parse, so that all that follows an error does."""
        word = f"refused_{secrets.token_hex(8)}"
        self._refusals[word] = refusal
        return word

    async def _prepare(self, statement: Statement) -> Job:
        resources = self._backend.resources
        if isinstance(statement, CopyStatement):
            copy = parse_copy(statement.sql)
            table = write_table(copy.table)
            rows = await self._query(COLUMNS.format(literal(table)))
            columns = [
                TargetColumn(str(name), str(type_name), is_required == "f")
                for _, name, type_name, is_required, _ in rows
            ]
            return CopyJob(copy, int(rows[0][0] or 0), columns, int(rows[0][4] or 0), resources)
        assert isinstance(statement, UnloadStatement)
        unload = parse_unload(statement.sql)
        query = self._join(translate(unload.query))
        return UnloadJob(unload, query, await self._columns_of(query), resources)

    async def _columns_of(self, query: str) -> list[TargetColumn]:
        name = b"redshift_standin\0"
        answers = await self._ask(
            Message(b"P", name + messages.text(query) + b"\0\0"),
            Message(b"D", b"S" + name),
            Message(b"C", b"S" + name),
            Message(b"S"),
        )
        description = next((answer.body for answer in answers if answer.kind == b"T"), None)
        if description is None:
            raise RedshiftError("UNLOAD takes a SELECT", "42601")
        columns = list(messages.result_columns(description))
        types = ", ".join(f"format_type({column.type}, {column.modifier})" for column in columns)
        (names,) = await self._query(f"select {types}")
        return [
            TargetColumn(column.name, str(type_name))
            for column, type_name in zip(columns, names, strict=True)
        ]

    async def _query(self, sql: str) -> list[list[str | None]]:
        answers = await self._ask(Message(b"Q", messages.text(sql)))
        return [messages.row(answer.body) for answer in answers if answer.kind == b"D"]

    async def _ask(self, *requests: Message) -> list[Message]:
        """Ask PostgreSQL on the client's own connection, in its transaction.

        Raises:
            RedshiftError: what PostgreSQL refuses.
        """
        await self._is_idle.wait()
        self._captured = []
        self._is_captured.clear()
        self._to_backend.write(b"".join(request.encode() for request in requests))
        await self._is_captured.wait()
        answers, self._captured = self._captured, None
        for answer in answers:
            if answer.kind == b"E":
                fields = messages.error_fields(answer.body)
                raise RedshiftError(fields["M"], fields["C"])
        return answers

    async def _serve_backend(self) -> None:
        while True:
            message = await messages.read(self._from_backend)
            if self._captured is not None:
                self._captured.append(message)
                if message.kind == b"Z":
                    self._is_captured.set()
                continue
            for answer in await self._answer(message):
                self._to_client.write(answer.encode())
            await self._to_client.drain()

    async def _answer(self, message: Message) -> list[Message]:
        match message.kind:
            case b"T":
                return [Message(b"T", messages.with_super(message.body))]
            case b"S" if message.body.startswith(b"server_version\0"):
                return [Message(b"S", messages.text("server_version") + messages.text(VERSION))]
            case b"G" if isinstance(self._job, CopyJob):
                self._feeding = asyncio.create_task(self._feed(self._job))
                return []
            case b"H" | b"c" if isinstance(self._job, UnloadJob):
                return []
            case b"d" if isinstance(self._job, UnloadJob):
                self._job.rows.append(message.body)
                return []
            case b"C":
                return await self._complete(message)
            case b"E":
                return [self._error(message)]
            case b"Z":
                return [await self._ready(message)]
        return [message]

    async def _feed(self, job: CopyJob) -> None:
        try:
            async for piece in job.pieces():
                for start in range(0, len(piece), BYTES_A_TIME):
                    part = piece[start : start + BYTES_A_TIME]
                    self._to_backend.write(Message(b"d", part).encode())
                    await self._to_backend.drain()
            self._to_backend.write(Message(b"c").encode())
        except RedshiftError as failure:
            job.failure = failure
            self._to_backend.write(Message(b"f", messages.text("refused")).encode())
        except Exception as failure:  # noqa: BLE001  # a fault of ours must not look like a load
            job.failure = RedshiftError(f"the stand-in failed: {failure!r}")
            self._to_backend.write(Message(b"f", messages.text("failed")).encode())
        self._is_copied.set()

    async def _complete(self, message: Message) -> list[Message]:
        job, self._job = self._job, None
        if message.body.startswith(b"TRUNCATE"):
            self._after_ready = "commit"
        if isinstance(job, CopyJob):
            count = message.body[:-1].decode().rpartition(" ")[2]
            table = job.copy.table.rpartition(".")[2].strip('"')
            text = f"Load into table '{table}' completed, {count} record(s) loaded successfully."
            return [messages.notice(text), message]
        if isinstance(job, UnloadJob):
            count = message.body[:-1].decode().rpartition(" ")[2]
            try:
                await job.write()
            except RedshiftError as failure:
                self._after_ready = self._refuse(failure)
                return [messages.error(failure.message, failure.code)]
            text = f"UNLOAD completed, {count} record(s) unloaded successfully."
            return [messages.notice(text), Message(b"C", messages.text("UNLOAD"))]
        return [message]

    def _error(self, message: Message) -> Message:
        job, self._job = self._job, None
        fields = messages.error_fields(message.body)
        if isinstance(job, CopyJob) and job.failure is not None:
            failure, job.failure = job.failure, None
            return messages.error(failure.message, failure.code)
        self._is_copied.set()
        for word, refusal in self._refusals.items():
            if word in fields.get("M", ""):
                del self._refusals[word]
                return messages.error(refusal.message, refusal.code)
        return message

    async def _ready(self, message: Message) -> Message:
        """Before a client may go on: what TRUNCATE commits, what a failed UNLOAD ends."""
        state = message.body
        sql, self._after_ready = self._after_ready, ""
        if sql and state == b"T":
            self._to_backend.write(Message(b"Q", messages.text(sql)).encode())
            while message.kind != b"Z" or message.body == b"T":
                message = await messages.read(self._from_backend)
        self._refusals.pop(sql, None)
        self._expected_ready = max(0, self._expected_ready - 1)
        if self._expected_ready == 0:
            self._is_idle.set()
        return message


async def serve(
    backend: Backend,
    tls: ssl.SSLContext,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Serve one connection, and close it."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        await Session(backend, tls, reader, writer).run()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        writer.close()
        await writer.wait_closed()
