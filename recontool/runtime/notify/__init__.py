"""Alerts on their way to people: grouped, kept until delivered, sent by mail, webhook or apprise."""
