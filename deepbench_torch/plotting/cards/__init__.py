"""Dataset cards: descriptions of stored catalogues for people and for search engines."""

from deepbench_torch.plotting.cards.card import write_card
from deepbench_torch.plotting.cards.croissant import can_write_croissant, write_croissant

__all__ = ["can_write_croissant", "write_card", "write_croissant"]
