"""Speaking with engines of others: connection, key, retries. Knows no protocol."""
