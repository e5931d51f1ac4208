"""libpq's pipeline mode for the transactions of commands: statements are sent without waiting for each other's answers.

The driver's own pipelines do the same in 16 to 25 microseconds for each statement and 170 for each pipeline, where
these take 3 and 40: a transaction of one command has a dozen statements (see docs/decisions/0031).
"""

import re
import select
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import PipelineAborted, error_from_result
from psycopg.rows import RowMaker
from sqlalchemy import Connection

# Where it stands among what SQLAlchemy keeps with a connection.
_KEY = "interlock.pipeline"
_NAMED = re.compile(r"%\((\w+)\)s|%%")
_READ, _READ_OR_WRITE = select.POLLIN, select.POLLIN | select.POLLOUT
_OK = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY)


class Answer:
    """What a statement will have been answered."""

    __slots__ = ("_by_name", "_pipeline", "result")

    def __init__(self, pipeline: "Pipeline", *, by_name: bool) -> None:
        self._pipeline, self._by_name = pipeline, by_name
        self.result: pq.abc.PGresult | None = None

    def rows(self) -> list[Any]:
        """Its rows, once they are here: tuples, or dictionaries if they were asked for by name."""
        return self._pipeline.rows_of(self, by_name=self._by_name)


class Pipeline:
    """One connection's; in use while it `is_open`, by one thread. All methods raise psycopg.Error."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self._pgconn = driver.pgconn
        self._dumping, self._loading = Transformer(driver), Transformer(driver)
        self._poll = select.poll()
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._number = 0
        self._waiting: deque[Answer | None] = deque()
        self._syncs = 0
        self.is_open = False

    def begin(self) -> None:
        """Opens a transaction, without waiting for it."""
        self._pgconn.enter_pipeline_mode()
        self.is_open = True
        self._send_plain(b"BEGIN")

    def commit(self) -> None:
        """Ends the transaction: it is committed when this returns."""
        self._send_plain(b"COMMIT")
        self._sync()
        while self._waiting:
            self._receive_next()
        self._drain()
        self._close()

    def rollback(self) -> None:
        """After a failure: the connection is as new, or lost."""
        # Some of them the server may never have seen.
        self._prepared.clear()
        self._sync()
        self._drain()
        if self._pgconn.transaction_status != pq.TransactionStatus.IDLE:
            self._send_plain(b"ROLLBACK")
            self._sync()
            self._drain()
        self._close()

    def ask(self, statement: str, parameters: Mapping[str, Any], *, by_name: bool = False) -> Answer:
        """Sends a query; its rows are asked for later."""
        answer = Answer(self, by_name=by_name)
        self._send(statement, parameters, answer)
        return answer

    def execute(self, statement: str, parameters: Mapping[str, Any]) -> None:
        """Sends a statement whose answer nobody needs. The server begins with it while the next is made ready."""
        self._send(statement, parameters, None)
        self._pgconn.flush()

    def rows_of(self, answer: Answer, *, by_name: bool) -> list[Any]:
        """Waits until this has been answered. Raises what failed, of this or of what was sent before it."""
        if answer.result is None:
            self._pgconn.send_flush_request()
            self._flush()
            while answer.result is None:
                self._receive_next()
        result = answer.result
        self._loading.set_pgresult(result)
        make_row: RowMaker[Any] = _by_name(result) if by_name else tuple
        return self._loading.load_rows(0, result.ntuples, make_row)

    def _send(self, statement: str, parameters: Mapping[str, Any], answer: Answer | None) -> None:
        query, names = _converted(statement)
        dumping = self._dumping
        values = dumping.dump_sequence([parameters[name] for name in names], [PyFormat.AUTO] * len(names))
        key = (statement, tuple(dumping.types or ()))
        name = self._prepared.get(key)
        if name is None:
            name = self._prepare(key, query)
        self._pgconn.send_query_prepared(name, values, dumping.formats)
        self._waiting.append(answer)

    def _prepare(self, key: tuple[str, tuple[int, ...]], query: bytes) -> bytes:
        self._number += 1
        name = self._prepared[key] = b"interlock_%d" % self._number
        self._pgconn.send_prepare(name, query, key[1])
        self._waiting.append(None)
        return name

    def _send_plain(self, statement: bytes) -> None:
        self._pgconn.send_query_params(statement, None)
        self._waiting.append(None)

    def _sync(self) -> None:
        self._pgconn.pipeline_sync()
        self._syncs += 1
        self._flush()

    def _flush(self) -> None:
        # Read meanwhile, lest both sides wait until the other reads.
        while self._pgconn.flush():
            if self._wait(_READ_OR_WRITE) & _READ:
                self._pgconn.consume_input()

    def _receive_next(self) -> None:
        """The answer to the statement that has waited longest."""
        answer, result = self._waiting.popleft(), self._next_result()
        if result is None:
            raise psycopg.OperationalError("the server gave no answer to a statement")
        self._next_result()  # says that there is no more of it
        if result.status not in _OK:
            if result.status == pq.ExecStatus.PIPELINE_ABORTED:
                raise PipelineAborted("a statement sent before this one failed")
            raise error_from_result(result)
        if answer is not None:
            answer.result = result

    def _drain(self) -> None:
        """Past everything that was sent, whatever the answers are."""
        self._waiting.clear()
        while self._syncs:
            result = self._next_result()
            if result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC:
                self._syncs -= 1
            elif self._pgconn.status != pq.ConnStatus.OK:
                raise psycopg.OperationalError("the connection is lost")

    def _next_result(self) -> "pq.abc.PGresult | None":
        while self._pgconn.is_busy():
            self._wait(_READ)
            self._pgconn.consume_input()
        return self._pgconn.get_result()

    def _wait(self, what: int) -> int:
        self._poll.register(self._pgconn.socket, what)
        return self._poll.poll()[0][1]

    def _close(self) -> None:
        self._pgconn.exit_pipeline_mode()
        self.is_open = False


@lru_cache(maxsize=1024)
def _converted(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with numbers for parameters, and their names in the order of the numbers."""
    names: list[str] = []

    def numbered(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "%"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _NAMED.sub(numbered, statement).encode(), tuple(names)


def pipeline_of(connection: Connection) -> Pipeline | None:
    """The pipeline of this connection, None if it never had one."""
    pipeline: Pipeline | None = connection.info.get(_KEY)
    return pipeline


def make_pipeline(connection: Connection) -> Pipeline:
    """The pipeline of this connection; it stays as long as the connection itself."""
    pipeline = pipeline_of(connection)
    if pipeline is None:
        driver: Any = connection.connection.driver_connection
        pipeline = connection.info[_KEY] = Pipeline(driver)
    return pipeline


def _by_name(result: "pq.abc.PGresult") -> RowMaker[Any]:
    names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
    return lambda values: dict(zip(names, values, strict=True))
