"""Precision, schedule, averaged weights and the Muon optimizer of the CPU stages."""

import torch
import torch.nn as nn
import torch.nn.functional as F

REPORT_SECONDS = 20


def amp():
    """Automatic mixed precision in bfloat16."""
    return torch.autocast('cpu', torch.bfloat16)


def use_float32_layer_norm():
    """Makes every layer norm run in float32 under automatic mixed precision."""

    def forward(self, x):
        return F.layer_norm(x.float(), self.normalized_shape, self.weight, self.bias, self.eps)

    nn.LayerNorm.forward = forward


def warm_stable_decay(progress, decay=0.35):
    """The factor of the learning rate: up for a fiftieth, level, then down to zero."""
    return min(1.0, progress / 0.02, (1 - progress) / decay)


def running_mean(mean, value, share):
    """A smoothed loss; zero means that there was none yet."""
    return value if mean == 0 else (1 - share) * mean + share * value


class EMA:
    """Exponential moving average of a module's weights, faster while there were few updates."""

    def __init__(self, module):
        self.module = module
        self.steps = 0
        self.shadow = {k: v.detach().clone() for k, v in module.state_dict().items()}

    @torch.no_grad()
    def update(self):
        """Moves the average towards the live weights."""
        self.steps += 1
        decay = min(0.9985, (1 + self.steps) / (10 + self.steps))
        live = self.module.state_dict()
        averages = list(self.shadow.values())
        torch._foreach_mul_(averages, decay)
        torch._foreach_add_(averages, [live[k] for k in self.shadow], alpha=1 - decay)


class Muon(torch.optim.Optimizer):
    """Momentum orthogonalized by a Newton-Schulz iteration (Jordan et al. 2024).

    For the matrices of hidden layers only.
    """

    MOMENTUM = 0.95
    WEIGHT_DECAY = 0.05

    def __init__(self, params):
        super().__init__(params, dict(lr=0.02))

    @torch.no_grad()
    def step(self):
        """Updates every matrix from its gradient."""
        for group in self.param_groups:
            for p in group['params']:
                self.update(p, group['lr'])

    def update(self, p, lr):
        """Updates one matrix [out, in]; query, key and value of one are updated apart."""
        momentum = self.state[p].setdefault('momentum', torch.zeros_like(p))
        momentum.lerp_(p.grad, 0.05)
        g = p.grad.lerp(momentum, self.MOMENTUM)
        parts = g.chunk(3) if g.shape[0] == 3 * g.shape[1] else (g,)
        update = torch.cat([self.orthogonal(part) for part in parts])
        rows, columns = parts[0].shape
        scale = max(1, rows / columns) ** 0.5
        p.mul_(1 - lr * self.WEIGHT_DECAY).add_(update, alpha=-lr * scale)

    @staticmethod
    def orthogonal(g, a=3.4445, b=-4.7750, c=2.0315):
        """The nearly orthogonal matrix closest to g, by five quintic iterations in bfloat16."""
        x = g.bfloat16()
        x = x / (x.norm() + 1e-7)
        tall = x.shape[0] > x.shape[1]
        x = x.t().contiguous() if tall else x
        for _ in range(5):
            s = x @ x.t()
            x = a * x + (b * s + c * (s @ s)) @ x
        return (x.t() if tall else x).float()
