"""Inward: what operators do on Discord becomes input of their sessions."""
