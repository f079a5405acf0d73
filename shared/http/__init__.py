"""HTTP: problem details, request bodies, security headers, tokens, rate limits, the server's protocol."""
