"""Who is asking: local accounts, second factor, sessions, keys of other systems, and the provider's people."""
