"""Pictures that are the same picture, or nearly: by their pixels, a perceptual hash and their embeddings."""
