"""The wall over HTTP: whatever a stranger writes anywhere, the service says so in a sentence and goes on."""
