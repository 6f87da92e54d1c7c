"""The documents that are printed from the code: see `docs.generate`."""
