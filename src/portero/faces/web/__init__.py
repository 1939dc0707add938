"""The dashboard and the HTTP API: server-rendered pages and JSON over the same use cases."""
