"""Dataset cards: descriptions of stored catalogues for people and for search engines."""
