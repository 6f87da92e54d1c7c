"""What is shown: the card, windows, lists, and what stands beside words. Pure."""
