"""Stage mage: trains the picture generator on tokens.pt."""

import math
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from cpu.optim import EMA, REPORT_SECONDS, Muon, amp, running_mean, warm_stable_decay
from nets.mage import MAGE, sample_mask_ratio

SIZE = dict(width=256, depth=5, heads=4, dec_width=256, dec_depth=2, dec_heads=4)
MUON_LR = 0.02
ADAM_LR = 3e-3
# Share of the draws that trains without a representation.
DROP_REP = 0.1
REP_NOISE = 0.1
SAVE_SECONDS = 240
# The learning rate falls from here on; training can be resumed from just before.
DECAY_START = 0.65


def masked_loss(net, tokens, rep, n_masked, drop_rep):
    """The published objective, with the classifier run on the masked places alone.

    tokens [B, 256]; rep [B, 256]; drop_rep bool [B, 1]: where the fake representation stands in.
    """
    b, n = tokens.shape
    order = torch.rand(b, n).argsort(1)
    hidden = order[:, :n_masked]
    masked = torch.zeros(b, n, dtype=torch.bool).scatter_(1, hidden, True)
    keep = torch.cat([torch.zeros(b, 1, dtype=torch.long), order[:, n // 2 :] + 1], 1)
    visible = net.with_class(torch.where(masked, net.mask_id, tokens))
    x = net.embed(visible, torch.where(drop_rep, net.fake_latent, rep))
    x = net.encode(x.gather(1, keep[..., None].expand(-1, -1, x.shape[-1])))
    x = net.decoder_embed(x).float()
    cls = x[:, :1]
    y = cls.expand(-1, n + 1, -1).clone()
    y = y.scatter(1, keep[..., None].expand(-1, -1, x.shape[-1]), x)
    y = torch.where(F.pad(masked, (1, 0))[..., None], cls, y)
    y = y + net.decoder_pos_embed_learned.to(y.dtype)
    for block in net.decoder_blocks:
        y = block(y)
    y = y.gather(1, (hidden + 1)[..., None].expand(-1, -1, y.shape[-1]))
    h = F.gelu(net.mlm_layer.fc(net.decoder_norm(y))).float()
    words = net.token_emb.word_embeddings.weight[: net.CODES]
    logits = F.linear(net.mlm_layer.ln(h), words).float() + net.mlm_layer.bias[:, :, : net.CODES]
    targets = tokens.gather(1, hidden).flatten()
    return F.cross_entropy(logits.flatten(0, 1), targets, label_smoothing=0.02)


class Training:
    """The network, its optimizers and its average, and how far they have come."""

    def __init__(self):
        self.net = MAGE(drop=0.0, **SIZE)
        self.ema = EMA(self.net)
        hidden = ('blocks', 'decoder_embed', 'mlm_layer.fc')
        matrices = []
        self.others = []
        for name, p in self.net.named_parameters():
            inner = p.dim() == 2 and any(part in name for part in hidden)
            (matrices if inner else self.others).append(p)
        self.muon = Muon(matrices)
        self.adam = torch.optim.AdamW(self.others, betas=(0.9, 0.95), weight_decay=0.0)
        self.step = 0
        self.seconds = 0.0

    def load(self, path):
        """Continues from a file that `save` wrote."""
        saved = torch.load(path)
        self.net.load_state_dict(saved['net'])
        self.muon.load_state_dict(saved['muon'])
        self.adam.load_state_dict(saved['adam'])
        self.ema.shadow = saved['ema']
        self.ema.steps = saved['ema_steps']
        self.step = saved['step']
        self.seconds = saved['seconds']

    def save(self, path, seconds):
        """Writes all that `load` needs; seconds: how long this run has trained."""
        saved = dict(
            net=self.net.state_dict(),
            muon=self.muon.state_dict(),
            adam=self.adam.state_dict(),
            ema=self.ema.shadow,
            ema_steps=self.ema.steps,
            step=self.step,
            seconds=self.seconds + seconds,
        )
        torch.save(saved, path)

    def set_rate(self, factor):
        """Sets the learning rates to a share of their peaks, a thousandth at least."""
        for optimizer, peak in ((self.muon, MUON_LR), (self.adam, ADAM_LR)):
            for group in optimizer.param_groups:
                group['lr'] = max(factor, 1e-3) * peak

    def train_on(self, loss):
        """One step down the gradient of a loss."""
        self.muon.zero_grad(set_to_none=True)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.others, 1.0)
        self.muon.step()
        self.adam.step()
        self.ema.update()
        self.step += 1


def epochs(n, batch):
    """Endless batches of picture indices [batch], in a new order each epoch."""
    if n < batch:
        raise ValueError(f'{n} pictures do not fill a batch of {batch}: lower --batch')
    while True:
        order = torch.randperm(n)
        for i in range(0, n - batch + 1, batch):
            yield order[i : i + batch]


def train_mage(work, minutes, batch):
    """Trains MAGE, from mage_live.pt where there is one; writes mage.pt and mage_live.pt."""
    data = torch.load(work / 'tokens.pt')
    tokens = data['tokens'].long()
    reps = data['reps']
    views, n = tokens.shape[:2]
    training = Training()
    live_path = work / 'mage_live.pt'
    if live_path.exists():
        training.load(live_path)
    rng = np.random.default_rng(training.step)
    batches = epochs(n, batch)
    start = reported = saved = time.time()
    progress = 0.0
    mean = 0.0
    decaying = False
    while progress < 1.0:
        progress = min(1.0, (time.time() - start) / (60 * minutes))
        rate = warm_stable_decay(progress)
        training.set_rate(rate)
        index = next(batches)
        view = torch.randint(views, (batch,))
        n_masked = math.ceil(MAGE.SEQ * sample_mask_ratio(rng))
        rep = reps[view, index] + REP_NOISE * torch.randn(batch, 256)
        drop_rep = torch.rand(batch, 1) < DROP_REP
        with amp():
            loss = masked_loss(training.net, tokens[view, index], rep, n_masked, drop_rep)
        training.train_on(loss)
        mean = running_mean(mean, loss.item(), share=0.02)
        now = time.time()
        if now - reported > REPORT_SECONDS:
            reported = now
            epoch = training.step * batch / n
            where = f'{now - start:6.0f}s step {training.step} epoch {epoch:.1f}'
            print(f'{where} loss {mean:.4f} lr {rate:.3f}', flush=True)
        decay_starts = progress >= DECAY_START and not decaying
        if now - saved > SAVE_SECONDS or decay_starts:
            saved = now
            torch.save(training.ema.shadow, work / 'mage.pt')
            if not decaying:
                training.save(live_path, now - start)
            decaying = decaying or decay_starts
    torch.save(training.ema.shadow, work / 'mage.pt')
    print('steps', training.step, 'loss', mean)
