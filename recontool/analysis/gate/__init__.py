"""Holds a run against conditions: limits of metrics, alerts, and what got worse since a baseline."""
