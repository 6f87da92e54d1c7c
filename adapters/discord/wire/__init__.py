"""The wire: calls and their limits, the gateway, signed requests, first answers."""
