"""The VQGAN tokenizer (Esser, Rombach, Ommer 2021): fully convolutional, without attention."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

# A restarted code counts as if it had been chosen this often.
RESTART_COUNT = 4.0


def group_norm(channels):
    """Group normalization as the published tokenizer has it: 32 groups."""
    return nn.GroupNorm(32, channels, eps=1e-6)


class ResBlock(nn.Module):
    """Two convolutions and a shortcut: [B, C_in, H, W] -> [B, C_out, H, W]."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm1 = group_norm(c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
        self.norm2 = group_norm(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        if c_in != c_out:
            self.nin_shortcut = nn.Conv2d(c_out, c_out, 1, bias=False)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        if hasattr(self, 'nin_shortcut'):
            # The published blocks project their own output, not their input.
            return h + self.nin_shortcut(h)
        return h + x


def res_blocks(c_in, c_out, count):
    """`count` residual blocks in a row, the first of which changes the width."""
    blocks = nn.ModuleList()
    for _ in range(count):
        blocks.append(ResBlock(c_in, c_out))
        c_in = c_out
    return blocks


def middle(channels):
    """The two residual blocks at the lowest resolution."""
    mid = nn.Module()
    mid.block_1 = ResBlock(channels, channels)
    mid.block_2 = ResBlock(channels, channels)
    return mid


class Encoder(nn.Module):
    """Pictures [B, 3, S, S] in 0..1 -> features [B, z_channels, S/f, S/f], f = 2^(levels - 1)."""

    def __init__(self, ch, ch_mult, num_res_blocks, z_channels):
        super().__init__()
        self.conv_in = nn.Conv2d(3, ch, 3, padding=1, bias=False)
        self.down = nn.ModuleList()
        c = ch
        for mult in ch_mult:
            level = nn.Module()
            level.block = res_blocks(c, ch * mult, num_res_blocks)
            c = ch * mult
            self.down.append(level)
        self.mid = middle(c)
        self.norm_out = group_norm(c)
        self.conv_out = nn.Conv2d(c, z_channels, 1)

    def forward(self, x):
        h = self.conv_in(x)
        for i, level in enumerate(self.down):
            for block in level.block:
                h = block(h)
            if i != len(self.down) - 1:
                h = F.avg_pool2d(h, 2)
        h = self.mid.block_2(self.mid.block_1(h))
        return self.conv_out(F.silu(self.norm_out(h)))


class Decoder(nn.Module):
    """Quantized features [B, z_channels, S/f, S/f] -> pictures [B, 3, S, S], about 0..1."""

    def __init__(self, ch, ch_mult, num_res_blocks, z_channels):
        super().__init__()
        c = ch * ch_mult[-1]
        self.conv_in = nn.Conv2d(z_channels, c, 3, padding=1)
        self.mid = middle(c)
        levels = []
        for i in reversed(range(len(ch_mult))):
            level = nn.Module()
            level.block = res_blocks(c, ch * ch_mult[i], num_res_blocks)
            c = ch * ch_mult[i]
            if i:
                level.upsample = nn.Module()
                level.upsample.conv = nn.Conv2d(c, c, 3, padding=1)
            levels.insert(0, level)
        self.up = nn.ModuleList(levels)
        self.norm_out = group_norm(c)
        self.conv_out = nn.Conv2d(c, 3, 3, padding=1)

    def forward(self, z):
        h = self.mid.block_2(self.mid.block_1(self.conv_in(z)))
        for i in reversed(range(len(self.up))):
            for block in self.up[i].block:
                h = block(h)
            if i:
                h = F.interpolate(h, scale_factor=2.0, mode='nearest')
                h = self.up[i].upsample.conv(h)
        return self.conv_out(F.silu(self.norm_out(h)))


class Quantizer(nn.Module):
    """Nearest-code quantizer; the codebook follows exponential moving averages of its features."""

    def __init__(self, n_embed, dim, decay=0.99):
        super().__init__()
        self.embedding = nn.Embedding(n_embed, dim)
        nn.init.normal_(self.embedding.weight, std=1.0)
        self.embedding.weight.requires_grad_(False)
        self.register_buffer('count', torch.ones(n_embed), persistent=False)
        total = self.embedding.weight.detach().clone()
        self.register_buffer('total', total, persistent=False)
        self.decay = decay
        self.started = False

    def forward(self, z):
        """z [B, D, H, W] -> z_q [B, D, H, W] (straight-through), commitment, codes [B, H*W]."""
        b, d, h, w = z.shape
        features = z.permute(0, 2, 3, 1).reshape(-1, d).float()
        codebook = self.embedding.weight
        if self.training and not self.started:
            self.start(features)
        codes = (codebook.pow(2).sum(1) - 2 * features @ codebook.t()).argmin(1)
        z_q = codebook[codes]
        if self.training:
            self.update(features, codes, z_q)
        commitment = (z_q - features).pow(2).mean()
        z_q = features + (z_q - features).detach()
        return z_q.view(b, h, w, d).permute(0, 3, 1, 2), commitment, codes.view(b, h * w)

    @torch.no_grad()
    def start(self, features):
        """Takes the first codebook from the features [B*H*W, D] of the first batch."""
        codebook = self.embedding.weight
        n_embed = codebook.shape[0]
        order = torch.randperm(features.shape[0], device=features.device)
        pick = features[order[:n_embed]]
        if pick.shape[0] < n_embed:
            repeated = pick.repeat(math.ceil(n_embed / pick.shape[0]), 1)[:n_embed]
            pick = repeated + 0.01 * torch.randn_like(codebook)
        codebook.data.copy_(pick)
        self.total.copy_(pick)
        self.count.fill_(1)
        self.started = True

    @torch.no_grad()
    def update(self, features, codes, z_q):
        """Moves the codebook towards its features and restarts the codes that nothing chooses."""
        codebook = self.embedding.weight
        chosen = torch.bincount(codes, minlength=codebook.shape[0]).float()
        summed = torch.zeros_like(codebook).index_add_(0, codes, features)
        self.count.mul_(self.decay).add_(chosen, alpha=1 - self.decay)
        self.total.mul_(self.decay).add_(summed, alpha=1 - self.decay)
        codebook.data.copy_(self.total / self.count.clamp_min(1e-4).unsqueeze(1))
        dead = self.count < 0.5
        n_dead = int(dead.sum())
        if n_dead:
            # Restarted on the worst-quantized features: the flat background cannot swallow the
            # codebook.
            error = (z_q - features).pow(2).sum(1).clamp_min(1e-9)
            fresh = features[torch.multinomial(error, n_dead, replacement=True)]
            codebook.data[dead] = fresh
            self.total[dead] = fresh * RESTART_COUNT
            self.count[dead] = RESTART_COUNT

    def lookup(self, codes, side):
        """Codes [B, side*side] -> z_q [B, D, side, side]."""
        z_q = self.embedding(codes).view(codes.shape[0], side, side, -1)
        return z_q.permute(0, 3, 1, 2)


class VQGAN(nn.Module):
    """Tokenizer: encoder, quantizer and decoder. The defaults are the starter's sizes."""

    def __init__(
        self, ch=64, ch_mult=(1, 1, 2, 2), num_res_blocks=2, z_channels=64, n_embed=1024
    ):
        super().__init__()
        self.encoder = Encoder(ch, ch_mult, num_res_blocks, z_channels)
        self.decoder = Decoder(ch, ch_mult, num_res_blocks, z_channels)
        self.quantize = Quantizer(n_embed, z_channels)
