"""Turns one `Analysis` into what people and scripts read: screen, JSON and page. No I/O but package resources."""
