"""The route groups: every module here that has a `router` is mounted."""
