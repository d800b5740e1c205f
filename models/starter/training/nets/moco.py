"""The representation encoder: a MoCo v3 vision transformer (Chen, Xie, He 2021)."""

import math

import torch
import torch.nn as nn

from nets.transformer import Block

IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]


def normalize(x):
    """Pictures [B, 3, H, W] in 0..1 -> what the encoder reads."""
    mean = x.new_tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
    std = x.new_tensor(IMAGENET_STD).view(1, 3, 1, 1)
    return (x - mean) / std


def standardize(rep):
    """Representations [B, 256] with zero mean and unit variance each, as RDM and MAGE use them."""
    return (rep - rep.mean(1, keepdim=True)) / rep.std(1, keepdim=True)


def sincos_positions(side, dim):
    """Fixed sine-cosine embedding of a side x side grid: [side*side, dim], slow axis first."""
    places = torch.arange(side * side)
    omega = 1.0 / 10000 ** (torch.arange(dim // 4).float() / (dim // 4))
    slow = (places // side).float()[:, None] * omega
    fast = (places % side).float()[:, None] * omega
    return torch.cat([slow.sin(), slow.cos(), fast.sin(), fast.cos()], 1)


class MoCoEncoder(nn.Module):
    """Normalized pictures [B, 3, S, S] -> representations [B, rep_dim], not yet standardized."""

    def __init__(
        self, image_size=128, patch_size=16, width=192, depth=10, heads=3, mlp_dim=1024, rep_dim=256
    ):
        super().__init__()
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(3, width, patch_size, patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        positions = sincos_positions(image_size // patch_size, width)
        positions = torch.cat([torch.zeros(1, width), positions])[None]
        self.pos_embed = nn.Parameter(positions, requires_grad=False)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Sequential(
            nn.Linear(width, mlp_dim, bias=False),
            nn.BatchNorm1d(mlp_dim),
            nn.ReLU(inplace=True),
            nn.Linear(mlp_dim, mlp_dim, bias=False),
            nn.BatchNorm1d(mlp_dim),
            nn.ReLU(inplace=True),
            nn.Linear(mlp_dim, rep_dim, bias=False),
            nn.BatchNorm1d(rep_dim, affine=False),
        )
        # MoCo v3 freezes the random patch projection.
        self.patch_embed.proj.weight.requires_grad_(False)
        self.patch_embed.proj.bias.requires_grad_(False)
        self.initialize(patch_size, width)

    def initialize(self, patch_size, width):
        """Uniform Xavier weights, query, key and value apart; the head keeps PyTorch's own."""
        for name, weight in self.named_parameters():
            if weight.dim() == 2 and 'head' not in name and 'pos' not in name:
                fan_out = weight.shape[0] // 3 if 'qkv' in name else weight.shape[0]
                bound = math.sqrt(6 / (fan_out + weight.shape[1]))
                nn.init.uniform_(weight, -bound, bound)
            elif name.endswith('bias') and 'norm' not in name and 'head' not in name:
                nn.init.zeros_(weight)
        bound = math.sqrt(6 / (3 * patch_size * patch_size + width))
        nn.init.uniform_(self.patch_embed.proj.weight, -bound, bound)
        nn.init.normal_(self.cls_token, std=1e-6)

    def forward(self, x):
        x = self.patch_embed.proj(x).flatten(2).transpose(1, 2)
        cls = self.cls_token.expand(x.shape[0], -1, -1).to(x.dtype)
        x = torch.cat([cls, x], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])
