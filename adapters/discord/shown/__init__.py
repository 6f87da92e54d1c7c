"""What is shown: the card, windows, lists, and what stands beside or beneath words. Pure."""
