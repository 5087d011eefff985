"""What a server offers: one module a protocol, each with `offers(source, root, secs)`; `suggest` guesses what it binds to."""
