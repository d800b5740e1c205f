"""Stage moco: trains the representation encoder with MoCo v3 (Chen, Xie, He 2021)."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from gpu.device import DEVICE, SMOKE, Clock, amp, compiled, save_pictures
from gpu.images import affine, fetch, hue, load_groups, load_images
from nets.moco import MoCoEncoder, normalize, standardize

BATCH = 8 if SMOKE else 1024
TEMPERATURE = 0.2
# One minus the momentum, at the start; it falls to zero along half a cosine.
MOMENTUM_RATE = 0.01
STATISTICS_BATCHES = 2 if SMOKE else 30


def gaussian_blur(x):
    """The 5 x 5 binomial blur, dilated by two."""
    k = torch.tensor([1.0, 4, 6, 4, 1], device=x.device)
    k = (k[:, None] * k / 256).expand(3, 1, 5, 5)
    return F.conv2d(F.pad(x, (4, 4, 4, 4), mode='replicate'), k, groups=3, dilation=2)


def random_view(x, blur_probability):
    """One random view of each picture, normalized for the encoder: [B, 3, 128, 128]."""
    x = affine(x, 128, (0.45, 1.05), 12, 0.05, aspect=0.25)

    def random():
        return torch.rand(x.shape[0], 1, 1, 1, device=x.device)

    x = torch.where(random() < 0.7, hue(x, 25, 0.4), x)
    mean = x.mean((2, 3), keepdim=True)
    chosen = random() < 0.7
    contrast = 0.7 + 0.6 * random()
    brightness = 0.8 + 0.4 * random()
    x = torch.where(chosen, ((x - mean) * contrast + mean * brightness).clamp(0, 1), x)
    x = torch.where(random() < 0.1, x.mean(1, keepdim=True).expand(-1, 3, -1, -1), x)
    return normalize(torch.where(random() < blur_probability, gaussian_blur(x), x))


def contrastive_loss(q, k):
    """InfoNCE of queries q and keys k, both [B, 256], scaled by twice the temperature."""
    q = F.normalize(q.float(), dim=1)
    k = F.normalize(k.float(), dim=1)
    logits = q @ k.t() / TEMPERATURE
    return F.cross_entropy(logits, torch.arange(len(q), device=DEVICE)) * (2 * TEMPERATURE)


def make_predictor():
    """The MLP that predicts keys from queries: [B, 256] -> [B, 256]."""
    return nn.Sequential(
        nn.Linear(256, 1024, bias=False),
        nn.BatchNorm1d(1024),
        nn.ReLU(inplace=True),
        nn.Linear(1024, 256, bias=False),
        nn.BatchNorm1d(256, affine=False),
    )


def train_moco(work, data, minutes):
    """Trains the encoder and writes moco.pt and moco.png (pictures and their neighbours)."""
    images = load_images(work, data)
    base = MoCoEncoder().to(DEVICE)
    momentum = MoCoEncoder().to(DEVICE)
    momentum.load_state_dict(base.state_dict())
    for p in momentum.parameters():
        p.requires_grad_(False)
    predictor = make_predictor().to(DEVICE)
    trained = [p for p in [*base.parameters(), *predictor.parameters()] if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, weight_decay=0.1)
    encode = compiled(base)
    encode_momentum = compiled(momentum)
    pairs = [(p, m) for p, m in zip(base.parameters(), momentum.parameters()) if p.requires_grad]
    base_weights = [p for p, _ in pairs]
    momentum_weights = [m for _, m in pairs]
    clock = Clock(minutes)
    progress = 0.0
    log = {}
    while progress < 1.0:
        x = fetch(images, torch.randint(len(images), (BATCH,), device=DEVICE))
        with torch.no_grad():
            view_1 = random_view(x, blur_probability=0.1)
            view_2 = random_view(x, blur_probability=0.5)
        with amp():
            q_1 = predictor(encode(view_1))
            q_2 = predictor(encode(view_2))
            with torch.no_grad():
                m = 1 - MOMENTUM_RATE * 0.5 * (1 + math.cos(math.pi * progress))
                torch._foreach_mul_(momentum_weights, m)
                torch._foreach_add_(momentum_weights, base_weights, alpha=1 - m)
                k_1 = encode_momentum(view_1)
                k_2 = encode_momentum(view_2)
        loss = contrastive_loss(q_1, k_2) + contrastive_loss(q_2, k_1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(base_weights, 1.0)
        optimizer.step()
        log['loss'] = loss.detach()
        progress = clock.tick([(optimizer, 8e-4)], lambda: f"loss {log['loss'].item():.4f}")
    renew_statistics(base, images)
    torch.save(base.state_dict(), work / 'moco.pt')
    accuracy = show_neighbours(base, images, load_groups(work), work / 'moco.png')
    print('knn group accuracy', accuracy, 'steps', clock.step)


@torch.no_grad()
def renew_statistics(net, images):
    """Takes the batch-norm statistics from nearly plain pictures, which the studio encodes."""
    net.train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = None
            module.reset_running_stats()
    for _ in range(STATISTICS_BATCHES):
        x = fetch(images, torch.randint(len(images), (BATCH,), device=DEVICE))
        net(normalize(affine(x, 128, (0.85, 1.1), 8, 0.03)))
    net.eval()


@torch.no_grad()
def show_neighbours(net, images, groups, path):
    """Writes a sheet of pictures with neighbours; returns 5-nearest-neighbour accuracy."""
    n = len(images)
    parts = []
    for i in range(0, n, 512):
        x = fetch(images, torch.arange(i, min(i + 512, n), device=DEVICE))
        parts.append(standardize(net(normalize(x))))
    reps = F.normalize(torch.cat(parts), dim=1)
    queries = torch.arange(5, n, max(1, n // 16), device=DEVICE)[:16]
    neighbours = (reps[queries] @ reps.t()).topk(min(8, n), 1)[1]
    save_pictures(fetch(images, neighbours.flatten()), path)
    similarity = reps @ reps.t()
    similarity.fill_diagonal_(-2)
    voted = groups[similarity.topk(5, 1)[1]].mode(1)[0]
    return (voted == groups).float().mean().item()
