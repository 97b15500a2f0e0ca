"""LocalStack without Docker and without a token: its own services, two parts of it substituted."""
