"""The live page on the coordinator's port: signing in, and updates to whoever is signed in. What it shows is handed in."""
