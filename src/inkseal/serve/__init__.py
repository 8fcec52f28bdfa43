"""The server: the studio over HTTP, for programs and browsers; asynchronous only here."""
