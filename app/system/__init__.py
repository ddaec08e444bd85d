"""What this Roost is, what it runs on, and what it takes."""
