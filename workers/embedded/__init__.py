"""PostgreSQL and Valkey as part of the program: for a first try, development, tests and small installations.

Both listen on this machine's loopback address alone and ask for no password: whoever can log in to the
machine can reach them. Larger installations bring their own servers and never import this package.
"""

from workers.embedded.errors import EmbeddedError
from workers.embedded.servers import EmbeddedServers

__all__ = ["EmbeddedError", "EmbeddedServers"]
