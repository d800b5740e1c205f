"""Stages samples and statistics: looks at, and measures, what was trained on the GPU."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from common import class_score, frechet_distance, load_frozen, moments
from gpu.device import DEVICE, SMOKE, save_pictures
from gpu.images import fetch, load_groups, load_images
from nets.mage import MAGE
from nets.moco import MoCoEncoder, normalize, standardize
from nets.rdm import ANY_CLASS, RDM, sample_rdm
from nets.vqgan import VQGAN

SAMPLES = 4 if SMOKE else 64
RDM_STEPS = 4 if SMOKE else 250
STUDY_SAMPLES = 8 if SMOKE else 2048
PROBE_STEPS = 3 if SMOKE else 1500
ATLAS_SIZE = 2048
# Pairs of guidance and temperature that statistics compares.
STUDY = [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4), (6, 4), (3, 2), (3, 8)]
SMOKE_STUDY = [(1, 4)]


def load_generators(work):
    """Two functions: labels -> representations, and representations -> pictures."""
    vqgan = load_frozen(VQGAN(), work / 'vqgan.pt', DEVICE)
    mage = MAGE().to(DEVICE).eval()
    mage.load_state_dict(torch.load(work / 'mage.pt', map_location=DEVICE))
    weights = torch.load(work / 'rdm.pt', map_location=DEVICE)
    rdm = RDM().to(DEVICE).eval()
    rdm.load_state_dict(weights['rdm'])
    table = weights['class_embedding']['weight']

    def draw(labels):
        return sample_rdm(rdm, table[labels], steps=RDM_STEPS)

    def paint(reps, guidance, temperature, steps=2 if SMOKE else 16):
        tokens = mage.generate(reps, steps, guidance, temperature)
        return vqgan.decoder(vqgan.quantize.lookup(tokens, 16))

    return draw, paint


def any_labels(count):
    """Labels of the unconditional class."""
    return torch.full((count,), ANY_CLASS, device=DEVICE)


@torch.no_grad()
def samples(work, data):
    """Writes sheets: guidance, few steps, classes, interpolation, pictures from their own reps."""
    images = load_images(work, data)
    n = len(images)
    reps = torch.load(work / 'tokens.pt')['reps'].to(DEVICE)[0]
    draw, paint = load_generators(work)
    torch.manual_seed(1)
    rep = draw(any_labels(SAMPLES))
    for guidance, temperature in ((0, 4), (2, 4), (3, 8), (5, 4), (6, 11)):
        path = work / f'gen_cfg{guidance}_t{temperature}.png'
        save_pictures(paint(rep, guidance, temperature), path)
    save_pictures(paint(rep, 3, 4, steps=8), work / 'gen_8steps.png')
    labels = torch.arange(9, device=DEVICE).repeat_interleave(8)
    save_pictures(paint(draw(labels), 3, 4), work / 'gen_class.png')
    ends = torch.tensor([10, 500, 1500, 3000, 5000, 8000], device=DEVICE) % n
    first = reps[ends][:, None]
    second = reps[(ends * 3 + 777) % n][:, None]
    w = torch.linspace(0, 1, 8, device=DEVICE)[None, :, None]
    mixed = standardize((first * (1 - w) + second * w).flatten(0, 1))
    save_pictures(paint(mixed, 3, 2), work / 'interp.png')
    index = torch.arange(3, n, max(1, n // 8), device=DEVICE)[:8]
    rows = [fetch(images, index)]
    rows += [paint(reps[index], 3, 4) for _ in range(3)]
    save_pictures(torch.cat(rows), work / 'recon_rep.png')


def train_probe(reps, groups):
    """A linear probe over the nine groups, trained on all but every tenth picture.

    reps [VIEWS, N, 256], groups [N].
    """
    views, n = reps.shape[:2]
    probe = nn.Linear(256, 9).to(DEVICE)
    optimizer = torch.optim.AdamW(probe.parameters(), lr=3e-3, weight_decay=0.02)
    held_out = torch.arange(n, device=DEVICE) % 10 == 0
    for _ in range(PROBE_STEPS):
        view = torch.randint(views, (1024,), device=DEVICE)
        index = torch.randint(n, (1024,), device=DEVICE)
        index = index[~held_out[index]]
        loss = F.cross_entropy(probe(reps[view[: len(index)], index]), groups[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    hits = probe(reps[0][held_out]).argmax(1) == groups[held_out]
    print('probe accuracy, held-out tenth:', hits.float().mean().item())
    return probe


def statistics(work):
    """Writes stats.pt (moments, probe, atlas), then compares settings of guidance."""
    saved = torch.load(work / 'tokens.pt')
    reps = saved['reps'].to(DEVICE)
    tokens = saved['tokens']
    groups = load_groups(work)
    n = reps.shape[1]
    reference = moments(reps[0])
    probe = train_probe(reps, groups)
    generator = torch.Generator(device='cpu').manual_seed(0)
    pick = torch.randperm(n, generator=generator)[:ATLAS_SIZE].sort()[0]
    stats = {
        'mean': torch.from_numpy(reference[0]).float(),
        'covariance': torch.from_numpy(reference[1]).float(),
        'probe.weight': probe.weight.detach().cpu(),
        'probe.bias': probe.bias.detach().cpu(),
        'atlas.representations': reps[0].cpu()[pick].half(),
        'atlas.tokens': tokens[0][pick].short(),
        'atlas.groups': groups.cpu()[pick].to(torch.uint8),
        'atlas.index': pick.to(torch.int32),
    }
    torch.save(stats, work / 'stats.pt')
    study_guidance(work, reps[1], probe, reference)


@torch.no_grad()
def study_guidance(work, second_views, probe, reference):
    """Prints Frechet distance and class score of data, RDM samples and re-encoded pictures."""

    def measure(name, rep):
        p = F.softmax(probe(rep), 1)
        distance = frechet_distance(moments(rep), reference)
        print(f'{name}: FD {distance:.3f} class score {class_score(p):.3f}', flush=True)

    draw, paint = load_generators(work)
    encoder = load_frozen(MoCoEncoder(), work / 'moco.pt', DEVICE)
    measure('real data, second variant', second_views)
    chunks = max(1, STUDY_SAMPLES // 1024)
    rep = torch.cat([draw(any_labels(min(STUDY_SAMPLES, 1024))) for _ in range(chunks)])
    measure('RDM samples', rep)
    for guidance, temperature in SMOKE_STUDY if SMOKE else STUDY:
        again = []
        for part in rep.split(256):
            pictures = paint(part, guidance, temperature).clamp(0, 1)
            again.append(standardize(encoder(normalize(pictures))))
        name = f'pictures re-encoded, cfg {guidance} temp {temperature}'
        measure(name, torch.cat(again))
