"""Events in, metrics out: the two-state timeline, mergeable totals, the fold that live plugin and analysis share."""
