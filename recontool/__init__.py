"""Turns what a reconnecting worker fleet leaves behind into answers."""
