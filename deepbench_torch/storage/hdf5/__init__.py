"""Catalogues in HDF5: metadata, rows in one file or in shards, and checksums."""
