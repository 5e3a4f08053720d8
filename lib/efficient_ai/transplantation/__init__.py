"""Fuse networks by transplanting neurons (Öz et al. 2024): members side by side, and the largest neurons stay."""

from efficient_ai.surgery import Surgery, anatomy
from efficient_ai.transplantation._align import (
    activation_matching,
    average,
    optimal_transport,
    transport_plan,
    weight_matching,
)
from efficient_ai.transplantation._choice import largest
from efficient_ai.transplantation._diverse import diverse, diverse_scores
from efficient_ai.transplantation._fuse import Fused, concatenate, fuse
from efficient_ai.transplantation._interpolate import interpolated
from efficient_ai.transplantation._networks import MiniViT, Perceptron, SmallResNet
from efficient_ai.transplantation._ranks import fuse_ranks
from efficient_ai.transplantation._statistics import reestimate
from efficient_ai.transplantation._training import Recipe
from efficient_ai.transplantation._variants import cut_first, hierarchical, iterative, prune, transplant
from efficient_ai.transplantation._zip import zipped
from efficient_ai.transplantation.claims import ABSTRACT, CLAIMS
from efficient_ai.transplantation.profiles import PROFILES, Profile

__all__ = [
    "ABSTRACT",
    "CLAIMS",
    "PROFILES",
    "Fused",
    "MiniViT",
    "Perceptron",
    "Profile",
    "Recipe",
    "SmallResNet",
    "Surgery",
    "activation_matching",
    "anatomy",
    "average",
    "concatenate",
    "cut_first",
    "diverse",
    "diverse_scores",
    "fuse",
    "fuse_ranks",
    "hierarchical",
    "interpolated",
    "iterative",
    "largest",
    "optimal_transport",
    "prune",
    "reestimate",
    "transplant",
    "transport_plan",
    "weight_matching",
    "zipped",
]
