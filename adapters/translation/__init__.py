"""Machine translators."""
