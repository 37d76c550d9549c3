"""What events of each kind of record mean, in wire form; `streams.core.route` knows which topic holds which."""
