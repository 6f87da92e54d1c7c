"""Text: how words are written in Slack, both ways. Pure."""
