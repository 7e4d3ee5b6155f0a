"""Results that come from laboratories: sources, messages, and what waits for a person."""
