"""Makes something out of a request."""
