"""The consumer for Python services: follow events, notifications and results."""

from messages.client.errors import BrokerUnreachable
from messages.consumer.asynchronous import AsyncConsumer
from messages.consumer.event import Event
from messages.consumer.sync import Consumer

__all__ = ["AsyncConsumer", "BrokerUnreachable", "Consumer", "Event"]
