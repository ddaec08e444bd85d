"""Networks that turn a working copy into an embedding; one file an encoder."""
