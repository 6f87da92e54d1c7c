"""What was heard: payloads as what happened, and what was asked of us."""
