"""Alert rules and their state over time."""
