"""How close translated latents come to the target's, and scorers made of that."""

from ._latent import latent_cosine_similarity, latent_mse, reconstruction_mse
from ._retrieval import mean_reciprocal_rank, recall_at_k
from ._scorers import SCORERS, get_scorer, register_scorers

__all__ = [
    "SCORERS",
    "get_scorer",
    "latent_cosine_similarity",
    "latent_mse",
    "mean_reciprocal_rank",
    "recall_at_k",
    "reconstruction_mse",
    "register_scorers",
]
