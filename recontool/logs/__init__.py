"""Logs in and out: the line grammar, formats as data, the streaming reader, the writer."""
