"""The representation diffusion model (Li, Katabi, He 2023): residual MLP that predicts x_0."""

import math

import torch
import torch.nn as nn

REP_DIM = 256
TIMESTEPS = 1000
BETA_START = 0.0015
BETA_END = 0.0195
CONTEXT_CHANNELS = 512
# Nine emoji groups, then 'anything': the last label is the unconditional one, as in the published
# sampler.
N_CLASSES = 10
ANY_CLASS = N_CLASSES - 1


def zero(linear):
    """Starts a linear layer at zero and returns it."""
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


class RDMBlock(nn.Module):
    """Residual block: x [B, C], time embedding [B, E], context [B, K] or None -> [B, C]."""

    def __init__(self, channels, emb_channels, context_channels=None):
        super().__init__()
        self.in_layers = nn.Sequential(
            nn.LayerNorm(channels), nn.SiLU(), nn.Linear(channels, channels)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(emb_channels, channels))
        self.out_layers = nn.Sequential(
            nn.LayerNorm(channels),
            nn.SiLU(),
            nn.Dropout(0.0),
            zero(nn.Linear(channels, channels)),
        )
        if context_channels:
            self.context_layers = nn.Sequential(
                nn.SiLU(), nn.Linear(context_channels, channels)
            )

    def forward(self, x, emb, context):
        h = self.in_layers(x) + self.emb_layers(emb)
        if hasattr(self, 'context_layers'):
            h = h + self.context_layers(context)
        return x + self.out_layers(h)


class RDM(nn.Module):
    """x_t [B, rep_dim], t [B], context [B, context_channels] -> predicted x_0 [B, rep_dim]."""

    def __init__(
        self,
        rep_dim=REP_DIM,
        model_channels=512,
        num_res_blocks=8,
        time_embed_dim=256,
        context_channels=CONTEXT_CHANNELS,
    ):
        super().__init__()
        self.model_channels = model_channels
        self.time_embed = nn.Sequential(
            nn.Linear(model_channels, time_embed_dim),
            nn.SiLU(),
            nn.Linear(time_embed_dim, time_embed_dim),
        )
        self.input_proj = nn.Linear(rep_dim, model_channels)
        self.res_blocks = nn.ModuleList(
            [
                RDMBlock(model_channels, time_embed_dim, context_channels)
                for _ in range(num_res_blocks)
            ]
        )
        self.out = nn.Sequential(
            nn.LayerNorm(model_channels, eps=1e-6),
            nn.SiLU(),
            zero(nn.Linear(model_channels, rep_dim)),
        )

    def forward(self, x, t, context):
        half = self.model_channels // 2
        steps = torch.arange(half, device=x.device).float()
        frequencies = torch.exp(-math.log(10000) * steps / half)
        angles = t.float()[:, None] * frequencies
        emb = self.time_embed(torch.cat([angles.cos(), angles.sin()], 1))
        x = self.input_proj(x)
        for block in self.res_blocks:
            x = block(x, emb, context)
        return self.out(x)


def alphas_cumprod(device):
    """alpha-bar of the published schedule: float32 [1000]."""
    betas = torch.linspace(BETA_START**0.5, BETA_END**0.5, TIMESTEPS, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float().to(device)


def add_noise(x_0, alpha_bar, noise):
    """The forward process at alpha_bar [B, 1]: x_0 [B, 256] -> x_t [B, 256]."""
    return alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * noise


@torch.no_grad()
def sample_rdm(model, context, steps=250, eta=1.0):
    """DDIM sampling: one representation [B, 256] for each row of context [B, K]."""
    device = context.device
    n = len(context)
    alpha_bar = alphas_cumprod(device)
    times = torch.arange(0, TIMESTEPS, TIMESTEPS // steps, device=device) + 1
    previous = torch.cat([alpha_bar[:1], alpha_bar[times[:-1]]])
    x = torch.randn(n, REP_DIM, device=device)
    for i in reversed(range(len(times))):
        a = alpha_bar[times[i]]
        a_prev = previous[i]
        x_0 = model(x, torch.full((n,), int(times[i]), device=device), context).float()
        eps = (x - a.sqrt() * x_0) / (1 - a).sqrt()
        sigma = eta * ((1 - a_prev) / (1 - a) * (1 - a / a_prev)).sqrt()
        direction = (1 - a_prev - sigma * sigma).clamp_min(0).sqrt() * eps
        x = a_prev.sqrt() * x_0 + direction + sigma * torch.randn_like(x)
    return x
