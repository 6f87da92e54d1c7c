"""Places: servers, channels and threads, who may be there, and how each session's thread is kept."""
