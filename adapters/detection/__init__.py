"""Telling ja, zh-Hans, zh-Hant, en and ko apart in the short messages of a support desk."""
