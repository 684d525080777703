"""One seed for every source of chance that is global: torch's, and the tokenizer's random segmentations."""

import sentencepiece
import torch

__all__ = ["seed_all"]


def seed_all(seed: int) -> None:
    """Seed all of them; the same seed gives the same run on the same machine."""
    torch.manual_seed(seed)
    sentencepiece.set_random_generator_seed(seed)
