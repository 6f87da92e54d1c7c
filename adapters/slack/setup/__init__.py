"""Setting up: what the administrator needs to create the app, and to see that all is well."""
