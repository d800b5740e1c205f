"""The transformer block that the encoder and MAGE share, with timm's parameter names."""

import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    """Multi-head self-attention: [B, N, D] -> [B, N, D]."""

    def __init__(self, dim, heads, drop=0.0):
        super().__init__()
        self.heads = heads
        self.drop = drop
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, d = x.shape
        qkv = self.qkv(x).view(b, n, 3, self.heads, d // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        if hasattr(F, 'scaled_dot_product_attention'):
            drop = self.drop if self.training else 0.0
            y = F.scaled_dot_product_attention(q, k, v, dropout_p=drop)
        else:
            # Older PyTorch has no fused attention; no dropout here, and the CPU stages want none.
            y = ((q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5).softmax(-1) @ v
        y = self.proj(y.transpose(1, 2).reshape(b, n, d))
        return F.dropout(y, self.drop, self.training)


class Mlp(nn.Module):
    """The feed-forward half of a block: [B, N, D] -> [B, N, D]."""

    def __init__(self, dim, hidden, drop=0.0):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)
        self.drop = drop

    def forward(self, x):
        x = self.fc2(F.gelu(self.fc1(x)))
        return F.dropout(x, self.drop, self.training)


class Block(nn.Module):
    """Pre-norm transformer block: [B, N, D] -> [B, N, D]."""

    def __init__(self, dim, heads, drop=0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads, drop)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, 4 * dim, drop)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))
