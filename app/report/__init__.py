"""What a run leaves on disk for people: a page that opens without a server, and a table for other programs."""
