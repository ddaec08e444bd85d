"""A gallery of drawn birds to try Roost with: seeded, free of anybody's rights, and nothing to download."""
