"""The sections of the page, one module per subject; each turns an `Analysis` into `view.Section`."""
