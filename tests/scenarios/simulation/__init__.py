"""A desk's whole day, played through by a seed: see `world`."""
