"""Makes the parts of the documents that repeat what the code says: `make docs`."""
