"""The engine: everything between the pure rules and the outside world. Adapters implement its ports."""
