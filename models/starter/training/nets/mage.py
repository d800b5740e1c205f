"""MAGE (Li et al. 2023), conditioned on a representation as RCG does it."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from nets.transformer import Block

MASK_RATIO_MIN = 0.5
MASK_RATIO_MAX = 1.0
MASK_RATIO_MEAN = 0.75
MASK_RATIO_STD = 0.25


def sample_mask_ratio(rng):
    """The share of tokens to mask in a training step, from a truncated normal distribution."""
    ratio = rng.normal(MASK_RATIO_MEAN, MASK_RATIO_STD)
    while not MASK_RATIO_MIN <= ratio <= MASK_RATIO_MAX:
        ratio = rng.normal(MASK_RATIO_MEAN, MASK_RATIO_STD)
    return ratio


class MAGE(nn.Module):
    """Masked token transformer; place 0 holds the representation, places 1..256 the tokens."""

    CODES = 1024
    CLASSES = 1000
    SEQ = 256

    def __init__(
        self,
        width=320,
        depth=12,
        heads=5,
        dec_width=320,
        dec_depth=4,
        dec_heads=5,
        rep_dim=256,
        drop=0.1,
    ):
        super().__init__()
        self.vocab = self.CODES + self.CLASSES + 1
        self.mask_id = self.vocab - 1
        self.fake_class = 1100
        self.drop = drop
        self.token_emb = nn.Module()
        self.token_emb.word_embeddings = nn.Embedding(self.vocab, width)
        self.token_emb.position_embeddings = nn.Embedding(self.SEQ + 1, width)
        self.token_emb.LayerNorm = nn.LayerNorm(width, eps=1e-6)
        self.latent_prior_proj = nn.Linear(rep_dim, width)
        self.fake_latent = nn.Parameter(torch.randn(1, rep_dim) * 0.02)
        self.blocks = nn.ModuleList([Block(width, heads, drop) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.decoder_embed = nn.Linear(width, dec_width)
        positions = torch.randn(1, self.SEQ + 1, dec_width) * 0.02
        self.decoder_pos_embed_learned = nn.Parameter(positions)
        self.decoder_blocks = nn.ModuleList(
            [Block(dec_width, dec_heads, drop) for _ in range(dec_depth)]
        )
        self.decoder_norm = nn.LayerNorm(dec_width, eps=1e-6)
        self.mlm_layer = nn.Module()
        self.mlm_layer.fc = nn.Linear(dec_width, width)
        self.mlm_layer.ln = nn.LayerNorm(width)
        self.mlm_layer.bias = nn.Parameter(torch.zeros(1, 1, self.vocab))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def with_class(self, tokens):
        """Puts the fake class before tokens [B, 256], where the published model had a class."""
        fake = tokens.new_full((tokens.shape[0], 1), self.fake_class)
        return torch.cat([fake, tokens], 1)

    def embed(self, tokens, rep):
        """tokens [B, 257] with the fake class, rep [B, 256] -> [B, 257, width]."""
        emb = self.token_emb
        x = emb.word_embeddings(tokens) + emb.position_embeddings.weight[None]
        x = F.dropout(emb.LayerNorm(x), self.drop, self.training)
        return torch.cat([self.latent_prior_proj(rep)[:, None].to(x.dtype), x[:, 1:]], 1)

    def encode(self, x):
        """The encoder's blocks and norm: [B, N, width] -> [B, N, width]."""
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def decode(self, x, keep, masked):
        """Logits [B, 256, 1024] of the codes.

        x: encoded kept tokens [B, N, width]; keep: their places [B, N], or None when all were
        kept; masked: bool [B, 257].
        """
        x = self.decoder_embed(x)
        cls = x[:, :1]
        if keep is None:
            full = x
        else:
            full = cls.expand(-1, self.SEQ + 1, -1).clone()
            full = full.scatter(1, keep[..., None].expand(-1, -1, x.shape[-1]), x)
        full = torch.where(masked[..., None], cls, full)
        full = full + self.decoder_pos_embed_learned.to(x.dtype)
        for block in self.decoder_blocks:
            full = block(full)
        h = self.mlm_layer.ln(F.gelu(self.mlm_layer.fc(self.decoder_norm(full))))
        words = self.token_emb.word_embeddings.weight[: self.CODES]
        bias = self.mlm_layer.bias[:, :, : self.CODES]
        return (h[:, 1:] @ words.t().to(h.dtype)) + bias.to(h.dtype)

    def loss(self, tokens, rep, noise, n_masked, drop_rep):
        """The published objective: cross-entropy of the masked tokens, half of all dropped.

        tokens [B, 256]; rep [B, 256]; noise [B, 256] uniform; n_masked scalar tensor of at least
        128; drop_rep bool [B, 1]: where the representation gives way to the fake one.
        """
        b = tokens.shape[0]
        order = noise.argsort(1)
        rank = order.argsort(1)
        masked = rank < n_masked
        keep = order[:, self.SEQ // 2 :].sort(1)[0] + 1
        first = torch.zeros(b, 1, dtype=keep.dtype, device=keep.device)
        keep = torch.cat([first, keep], 1)
        visible = self.with_class(torch.where(masked, self.mask_id, tokens))
        rep = torch.where(drop_rep, self.fake_latent.to(rep.dtype), rep)
        x = self.embed(visible, rep)
        x = x.gather(1, keep[..., None].expand(-1, -1, x.shape[-1]))
        never = torch.zeros(b, 1, dtype=torch.bool, device=masked.device)
        logits = self.decode(self.encode(x), keep, torch.cat([never, masked], 1)).float()
        ce = F.cross_entropy(
            logits.flatten(0, 1), tokens.flatten(), reduction='none', label_smoothing=0.1
        ).view(b, -1)
        return (ce * masked).sum() / masked.sum()

    @torch.no_grad()
    def generate(self, rep, steps=16, guidance=0.0, temperature=6.0):
        """Iterative decoding: representations [B, 256] -> tokens [B, 256].

        Guidance grows linearly over the steps; the temperature of the choice of places falls
        linearly to zero.
        """
        b = rep.shape[0]
        tokens = torch.full((b, self.SEQ), self.mask_id, device=rep.device)
        guided = guidance > 0
        if guided:
            rep = torch.cat([rep, self.fake_latent.expand(b, -1)])
        for step in range(steps):
            ratio = (step + 1) / steps
            visible = self.with_class(torch.cat([tokens, tokens]) if guided else tokens)
            x = self.encode(self.embed(visible, rep))
            logits = self.decode(x, None, visible == self.mask_id).float()
            if guided:
                cond, uncond = logits.chunk(2)
                logits = cond + guidance * (step + 1) / steps * (cond - uncond)
            sample = torch.distributions.Categorical(logits=logits).sample()
            unknown = tokens == self.mask_id
            sample = torch.where(unknown, sample, tokens)
            confidence = logits.log_softmax(-1).gather(-1, sample[..., None])[..., 0]
            confidence = torch.where(
                unknown, confidence, torch.full_like(confidence, float('inf'))
            )
            uniform = torch.rand_like(confidence).clamp(1e-9, 1 - 1e-7)
            gumbel = -torch.log(-torch.log(uniform))
            confidence = confidence + temperature * (1 - ratio) * gumbel
            still_masked = math.floor(self.SEQ * math.cos(math.pi / 2 * ratio))
            still_masked = max(1, min(int(unknown.sum(1).min()) - 1, still_masked))
            cut = confidence.sort(1)[0][:, still_masked - 1 : still_masked]
            tokens = torch.where(confidence <= cut, self.mask_id, sample)
        return sample
