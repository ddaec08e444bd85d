"""Long tests that print figures: each says what it does under `--help`."""
