"""Text: how words are written on Discord, both ways. Pure."""
