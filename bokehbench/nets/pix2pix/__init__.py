"""pix2pix: a U-Net that makes pictures, a PatchGAN that judges them; networks without their training."""

from bokehbench.nets.pix2pix.discriminator import SMALLEST, Discriminator
from bokehbench.nets.pix2pix.generator import Generator

__all__ = ["SMALLEST", "Discriminator", "Generator"]
