"""Names that spread: from few named images to a label with a confidence for every image."""
