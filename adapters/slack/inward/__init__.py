"""Inward: what operators do in Slack becomes input of their sessions."""
