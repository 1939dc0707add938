"""The HTTP API: what the pages do, as JSON by the contract's names."""
