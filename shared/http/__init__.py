"""HTTP: problem details, request bodies, security headers, bearer tokens, rate limits, the server's protocol."""
