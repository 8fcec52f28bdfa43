"""Keeps artifacts by content hash and records in a database: `store.store.Store` opens the data folder."""
