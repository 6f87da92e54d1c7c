"""The Discord simulator is as strict and as rude as Discord itself, seen through the unmodified discord.py."""
