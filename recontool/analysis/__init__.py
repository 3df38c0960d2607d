"""What the folds of a fleet mean together: alerts, incidents, disagreements, data quality, recommendations."""
