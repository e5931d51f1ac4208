"""The client for Python services: send commands and queries, get their answers."""

from messages.client.asynchronous import AsyncClient
from messages.client.errors import (
    BrokerUnreachable,
    ClientClosed,
    CommandFailed,
    NotYetKnown,
    Unanswered,
)
from messages.client.futures import AsyncFuture, Future
from messages.client.handles import AsyncFlowRunHandle, AsyncTaskRunHandle, FlowRunHandle, TaskRunHandle
from messages.client.result import Result
from messages.client.runs import AsyncFlowRuns, AsyncTaskRuns, FlowRuns, TaskRuns
from messages.client.states import (
    AwaitingConcurrencySlot,
    AwaitingRetry,
    Cancelled,
    Cancelling,
    Completed,
    Crashed,
    Failed,
    Late,
    Paused,
    Pending,
    Resuming,
    Retrying,
    Running,
    Scheduled,
    Suspended,
)
from messages.client.sync import Client
from messages.errors import Refused
from messages.results import Status

__all__ = [
    "AsyncClient",
    "AsyncFlowRunHandle",
    "AsyncFlowRuns",
    "AsyncFuture",
    "AsyncTaskRunHandle",
    "AsyncTaskRuns",
    "AwaitingConcurrencySlot",
    "AwaitingRetry",
    "BrokerUnreachable",
    "Cancelled",
    "Cancelling",
    "Client",
    "ClientClosed",
    "CommandFailed",
    "Completed",
    "Crashed",
    "Failed",
    "FlowRunHandle",
    "FlowRuns",
    "Future",
    "Late",
    "NotYetKnown",
    "Paused",
    "Pending",
    "Refused",
    "Result",
    "Resuming",
    "Retrying",
    "Running",
    "Scheduled",
    "Status",
    "Suspended",
    "TaskRunHandle",
    "TaskRuns",
    "Unanswered",
]
