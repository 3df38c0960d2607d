"""Sets two runs side by side: which measures differ by more than chance, and by how much."""
