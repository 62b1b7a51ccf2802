"""Dataset cards: what a stored catalogue holds, for people and for search engines."""

from deepbench_torch.cards.card import write_card

__all__ = ["write_card"]
