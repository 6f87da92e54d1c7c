"""Slack's published TypeScript types (`@slack/types`), and the compiler that holds our payloads against them."""
