"""Outward: effects are carried out in Slack, and found again when an answer was lost."""
