"""What every request passes on its way in, one layer per file, as plain ASGI."""
