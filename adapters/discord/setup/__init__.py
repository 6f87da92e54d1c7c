"""Setting up: what the administrator needs to invite the bot, and to see that all is well."""
