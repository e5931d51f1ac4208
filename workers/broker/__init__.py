"""Interlock's own dramatiq broker: fetches, hands over and acknowledges whole batches of a Redis queue.

It knows nothing of commands: bodies pass through as they stand.
"""
