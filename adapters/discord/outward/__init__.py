"""Outward: effects are carried out on Discord, and found again when an answer was lost."""
