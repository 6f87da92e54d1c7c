"""Places: channels and threads, who may be there, and the first post of each session's thread."""
