"""Stage rdm: trains the representation generator on tokens.pt."""

import time

import torch
import torch.nn as nn
import torch.nn.functional as F

from cpu.optim import EMA, REPORT_SECONDS, amp, running_mean, warm_stable_decay
from nets.rdm import (
    ANY_CLASS,
    CONTEXT_CHANNELS,
    N_CLASSES,
    RDM,
    TIMESTEPS,
    add_noise,
    alphas_cumprod,
)

BATCH = 512
LR = 1e-3
# Share of the draws that trains the unconditional label.
DROP_CLASS = 0.5


def train_rdm(work, minutes):
    """Trains the RDM and its class table; writes rdm.pt with the averaged weights of both."""
    data = torch.load(work / 'tokens.pt')
    reps = data['reps']
    groups = data['groups']
    views, n = reps.shape[:2]
    alpha_bar = alphas_cumprod('cpu')
    net = RDM()
    table = nn.Embedding(N_CLASSES, CONTEXT_CHANNELS)
    ema = EMA(net)
    ema_table = EMA(table)
    parameters = [*net.parameters(), *table.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=LR, weight_decay=0.01)
    start = reported = time.time()
    progress = 0.0
    step = 0
    mean = 0.0
    while progress < 1.0:
        progress = min(1.0, (time.time() - start) / (60 * minutes))
        rate = max(1e-3, warm_stable_decay(progress, decay=0.5))
        optimizer.param_groups[0]['lr'] = LR * rate
        index = torch.randint(n, (BATCH,))
        view = torch.randint(views, (BATCH,))
        t = torch.randint(TIMESTEPS, (BATCH,))
        labels = torch.where(torch.rand(BATCH) < DROP_CLASS, ANY_CLASS, groups[index])
        x_0 = reps[view, index]
        with amp():
            x_t = add_noise(x_0, alpha_bar[t][:, None], torch.randn_like(x_0))
            predicted = net(x_t, t, table(labels))
        loss = F.mse_loss(predicted.float(), x_0)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        ema.update()
        ema_table.update()
        step += 1
        mean = running_mean(mean, loss.item(), share=0.01)
        if time.time() - reported > REPORT_SECONDS:
            reported = time.time()
            print(f'{reported - start:6.0f}s step {step} loss {mean:.4f}', flush=True)
    torch.save({'rdm': ema.shadow, 'class_embedding': ema_table.shadow}, work / 'rdm.pt')
    print('steps', step, 'loss', mean)
