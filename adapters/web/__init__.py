"""The customer's side: one protocol over a WebSocket or HTTP, the widget's files, and the two pages."""
