"""Coordinator and worker: two sans-I/O machines under thin asyncio shells."""
