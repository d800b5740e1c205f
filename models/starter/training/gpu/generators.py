"""Stages mage and rdm: trains the picture and representation generators on tokens.pt."""

import math
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from common import full
from gpu.device import DEVICE, EMA, SMOKE, Clock, amp, compiled
from gpu.images import load_groups
from nets.mage import MAGE, sample_mask_ratio
from nets.rdm import (
    ANY_CLASS,
    CONTEXT_CHANNELS,
    N_CLASSES,
    RDM,
    TIMESTEPS,
    add_noise,
    alphas_cumprod,
)

MAGE_BATCH = 4 if SMOKE else 512
RDM_BATCH = 16 if SMOKE else 2048
# Shares of the draws that train the unconditional models.
DROP_REP = 0.1
DROP_CLASS = 0.5
SAVE_SECONDS = 240
EMA_EVERY = 4


def mage_optimizer(net):
    """AdamW with weight decay on matrices alone."""
    parameters = list(net.parameters())
    groups = [
        {'params': [p for p in parameters if p.dim() > 1], 'weight_decay': 0.05},
        {'params': [p for p in parameters if p.dim() <= 1], 'weight_decay': 0.0},
    ]
    options = {} if SMOKE else {'fused': True}
    return torch.optim.AdamW(groups, betas=(0.9, 0.95), **options)


def train_mage(work, minutes):
    """Trains MAGE, from mage_start.pt where there is one; writes mage.pt every four minutes."""
    saved = torch.load(work / 'tokens.pt')
    tokens = saved['tokens'].to(DEVICE)
    reps = saved['reps'].to(DEVICE)
    views, n = tokens.shape[:2]
    net = MAGE(drop=0.05).to(DEVICE)
    peak = 1e-3
    if (work / 'mage_start.pt').exists():
        peak = 5e-4
        net.load_state_dict(full(torch.load(work / 'mage_start.pt', map_location=DEVICE)))
    ema = EMA(net, 0.9995)
    optimizer = mage_optimizer(net)
    loss_of = compiled(net.loss)
    clock = Clock(minutes)
    progress = 0.0
    log = {}
    rng = np.random.default_rng(0)
    saved_at = time.time()
    while progress < 1.0:
        view = torch.randint(views, (MAGE_BATCH,), device=DEVICE)
        index = torch.randint(n, (MAGE_BATCH,), device=DEVICE)
        n_masked = math.ceil(MAGE.SEQ * sample_mask_ratio(rng))
        with amp():
            loss = loss_of(
                tokens[view, index].long(),
                reps[view, index],
                torch.rand(MAGE_BATCH, MAGE.SEQ, device=DEVICE),
                torch.tensor(n_masked, device=DEVICE),
                torch.rand(MAGE_BATCH, 1, device=DEVICE) < DROP_REP,
            )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        if clock.step % EMA_EVERY == 0:
            ema.warm_up(clock.step / EMA_EVERY)
            ema.update(net)
        log['loss'] = loss.detach()
        progress = clock.tick([(optimizer, peak)], lambda: f"loss {log['loss'].item():.4f}")
        if time.time() - saved_at > SAVE_SECONDS:
            saved_at = time.time()
            torch.save(ema.state(net), work / 'mage.pt')
    torch.save(ema.state(net), work / 'mage.pt')
    print('steps', clock.step)


def train_rdm(work, minutes):
    """Trains the RDM and its class table; writes rdm.pt with averaged and live weights."""
    reps = torch.load(work / 'tokens.pt')['reps'].to(DEVICE)
    views, n = reps.shape[:2]
    groups = load_groups(work)
    alpha_bar = alphas_cumprod(DEVICE)
    net = RDM().to(DEVICE)
    table = nn.Embedding(N_CLASSES, CONTEXT_CHANNELS).to(DEVICE)
    ema = EMA(net, 0.999)
    ema_table = EMA(table, 0.999)
    parameters = [*net.parameters(), *table.parameters()]
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.01)
    predict = compiled(net)
    clock = Clock(minutes)
    progress = 0.0
    log = {}
    while progress < 1.0:
        view = torch.randint(views, (RDM_BATCH,), device=DEVICE)
        index = torch.randint(n, (RDM_BATCH,), device=DEVICE)
        drop = torch.rand(RDM_BATCH, device=DEVICE) < DROP_CLASS
        labels = torch.where(drop, ANY_CLASS, groups[index])
        x_0 = reps[view, index]
        t = torch.randint(TIMESTEPS, (RDM_BATCH,), device=DEVICE)
        x_t = add_noise(x_0, alpha_bar[t][:, None], torch.randn_like(x_0))
        with amp():
            loss = F.mse_loss(predict(x_t, t, table(labels)).float(), x_0)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if clock.step % EMA_EVERY == 0:
            for average, module in ((ema, net), (ema_table, table)):
                average.warm_up(clock.step / EMA_EVERY)
                average.update(module)
        log['loss'] = loss.detach()
        progress = clock.tick([(optimizer, 6e-4)], lambda: f"loss {log['loss'].item():.4f}")
    weights = {
        'rdm': ema.state(net),
        'live': net.state_dict(),
        'class_embedding': ema_table.state(table),
    }
    torch.save(weights, work / 'rdm.pt')
    print('steps', clock.step)
