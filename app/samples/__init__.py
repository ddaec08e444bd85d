"""A sample gallery as a collection, for who wants to look before uploading anything."""
