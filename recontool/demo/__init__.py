"""A fleet that is broken on purpose, and the proof that the analysis finds each fault."""
