"""Pagers: PagerDuty both ways, and whatever Apprise reaches one way. Who is paged when is decided in `routing`."""
