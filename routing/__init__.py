"""The rules of the desk, and nothing else: no clock, no I/O, no logging, only the standard library."""
