"""The wire: calls and their limits, sockets, signed requests."""
