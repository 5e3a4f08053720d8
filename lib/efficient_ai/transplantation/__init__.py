"""Fuse networks by transplanting neurons (Öz et al. 2024): members side by side, and the largest neurons stay."""

from efficient_ai.transplantation._fuse import Fused, concatenate, fuse
from efficient_ai.transplantation._networks import MiniViT, Perceptron, SmallResNet
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
    "SmallResNet",
    "concatenate",
    "fuse",
]
