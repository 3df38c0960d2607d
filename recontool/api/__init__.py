"""The one place where the pieces are joined: commands, notebooks and the demo call nothing below it."""
