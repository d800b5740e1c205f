"""Stages samples and statistics: looks at, and measures, what was trained on the CPU."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from common import class_score, frechet_distance, load_frozen, moments, save_sheet
from cpu.mage import SIZE
from cpu.tokens import load_images, to_floats
from nets.mage import MAGE
from nets.moco import MoCoEncoder, normalize, standardize
from nets.rdm import ANY_CLASS, RDM, sample_rdm
from nets.vqgan import VQGAN

SAMPLES = 32
PROBE_STEPS = 1500
ATLAS_SIZE = 2048
# Guidance that statistics compares, at temperature 1.
STUDY = (0, 0.5, 1, 2)


def load_networks(work):
    """The encoder, and functions labels -> representations, representations -> pictures."""
    vqgan = load_frozen(VQGAN(), work / 'vqgan.pt')
    encoder = load_frozen(MoCoEncoder(), work / 'moco.pt')
    mage = MAGE(**SIZE).eval()
    mage.load_state_dict(torch.load(work / 'mage.pt'))
    weights = torch.load(work / 'rdm.pt')
    rdm = RDM().eval()
    rdm.load_state_dict(weights['rdm'])
    table = weights['class_embedding']['weight']

    def draw(labels):
        return sample_rdm(rdm, table[labels])

    def paint(reps, guidance, steps=16):
        pictures = []
        for part in reps.split(16):
            tokens = mage.generate(part, steps, guidance, temperature=1)
            pictures.append(vqgan.decoder(vqgan.quantize.lookup(tokens, 16)).clamp(0, 1))
        return torch.cat(pictures)

    return encoder, draw, paint


def save_pictures(x, path):
    """Writes pictures, floats [N, 3, S, S] in 0..1, as one sheet."""
    save_sheet((x * 255).round().byte(), path)


@torch.no_grad()
def samples(work, data, sets):
    """Writes sheets: guidance, few steps, classes, pictures from their own reps, interpolation."""
    _, draw, paint = load_networks(work)
    reps = torch.load(work / 'tokens.pt')['reps'][0]
    images, _ = load_images(data, sets)
    torch.manual_seed(1)
    rep = draw(torch.full((SAMPLES,), ANY_CLASS))
    for guidance in (0, 0.5, 2):
        save_pictures(paint(rep, guidance), work / f'sample_cfg{guidance}_t1.png')
    save_pictures(paint(rep, 0, steps=8), work / 'sample_8steps.png')
    labels = torch.arange(9).repeat_interleave(8)
    save_pictures(paint(draw(labels), 0.5), work / 'classes.png')
    index = torch.arange(3, len(images), len(images) // 8)[:8]
    rows = [to_floats(images[index])]
    rows += [paint(reps[index], 0.5) for _ in range(3)]
    save_pictures(torch.cat(rows), work / 'from_representation.png')
    first = reps[index[:4]][:, None]
    second = reps[index[4:]][:, None]
    w = torch.linspace(0, 1, 8)[None, :, None]
    mixed = standardize((first * (1 - w) + second * w).flatten(0, 1))
    save_pictures(paint(mixed, 0.5), work / 'interpolation.png')


def train_probe(reps, groups):
    """A linear probe over the nine groups, trained on all but every tenth picture.

    reps [N, 256], groups [N].
    """
    probe = nn.Linear(256, 9)
    optimizer = torch.optim.AdamW(probe.parameters(), lr=3e-3, weight_decay=0.02)
    held_out = torch.arange(len(reps)) % 10 == 0
    seen = (~held_out).nonzero()[:, 0]
    for _ in range(PROBE_STEPS):
        index = seen[torch.randint(len(seen), (512,))]
        loss = F.cross_entropy(probe(reps[index]), groups[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    hits = probe(reps[held_out]).argmax(1) == groups[held_out]
    print('probe accuracy on the held-out tenth', hits.float().mean().item())
    return probe


def statistics(work, count):
    """Writes stats.pt (moments, probe, atlas), then compares guidance over `count` samples."""
    saved = torch.load(work / 'tokens.pt')
    reps = saved['reps'][0]
    tokens = saved['tokens'][0]
    groups = saved['groups']
    torch.manual_seed(0)
    reference = moments(reps)
    probe = train_probe(reps, groups)
    pick = torch.randperm(len(reps))[:ATLAS_SIZE].sort()[0]
    stats = {
        'mean': torch.from_numpy(reference[0]).float(),
        'covariance': torch.from_numpy(reference[1]).float(),
        'probe.weight': probe.weight.detach(),
        'probe.bias': probe.bias.detach(),
        'atlas.representations': reps[pick].half(),
        'atlas.tokens': tokens[pick].short(),
        'atlas.groups': groups[pick].to(torch.uint8),
    }
    torch.save(stats, work / 'stats.pt')
    study_guidance(work, reps, reference, probe, count)


@torch.no_grad()
def study_guidance(work, reps, reference, probe, count):
    """Prints Frechet distance and class score of data, RDM samples and re-encoded pictures."""

    def measure(name, rep):
        distance = frechet_distance(moments(rep), reference)
        score = class_score(F.softmax(probe(rep), 1))
        print(f'{name}: FD {distance:.2f} class score {score:.3f}', flush=True)

    encoder, draw, paint = load_networks(work)
    some = torch.randperm(len(reps))[:count]
    measure(f'data, {count} of {len(reps)}', reps[some])
    rep = draw(torch.full((count,), ANY_CLASS))
    measure('RDM samples', rep)
    for guidance in STUDY:
        again = [standardize(encoder(normalize(paint(part, guidance)))) for part in rep.split(64)]
        name = f'pictures encoded again, guidance {guidance} temperature 1'
        measure(name, torch.cat(again))
