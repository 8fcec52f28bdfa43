"""Licensed data: fetched, cleaned, split and described, before any model sees it."""
