"""The built-in operator desk: a page in the browser for operators who need no Slack or Discord.

`network` is the desk as the engine sees it, `server` the pages and the API, `live` what is pushed to open pages,
`board` the lists, `thread` a session as an operator reads it, `accounts` and `passwords` who may sit down at it.
"""
