"""Stage vqgan: trains the tokenizer, adversarially from a third of the time on."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from gpu.device import CHANNELS_LAST, DEVICE, EMA, SMOKE, Clock, amp, compiled, save_pictures
from gpu.images import affine, fetch, hue, load_images
from nets.vqgan import VQGAN

SIZE = 128
BATCH, CROP = (4, 64) if SMOKE else (96, SIZE)
# The discriminator joins at this progress, and weighs fully after a further tenth.
ADVERSARIAL_START = 0.35
ADVERSARIAL_RAMP = 0.1


class PatchDiscriminator(nn.Module):
    """Pictures [B, 3, S, S] -> one realism score per patch, and the features on the way."""

    def __init__(self, channels=64):
        super().__init__()
        widths = [3, channels, 2 * channels, 4 * channels, 1]
        strides = [2, 2, 1, 1]
        self.layers = nn.ModuleList(
            [
                nn.utils.spectral_norm(nn.Conv2d(c_in, c_out, 4, stride, 1))
                for c_in, c_out, stride in zip(widths, widths[1:], strides)
            ]
        )

    def forward(self, x):
        features = []
        for layer in self.layers[:-1]:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.layers[-1](x), features


def training_batch(images):
    """Random views, half of them in other colours: [B, 3, CROP, CROP]."""
    x = fetch(images, torch.randint(len(images), (BATCH,), device=DEVICE))
    x = affine(x, SIZE, (0.75, 1.15), 15, 0.05)
    recolour = torch.rand(BATCH, 1, 1, 1, device=DEVICE) < 0.5
    x = torch.where(recolour, hue(x, 180, 0.3), x)
    top, left = torch.randint(SIZE - CROP + 1, (2,)).tolist()
    x = x[:, :, top : top + CROP, left : left + CROP]
    return x.contiguous(memory_format=CHANNELS_LAST)


def sobel_kernels():
    """Horizontal and vertical edge filters for three channels: [6, 1, 3, 3]."""
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=DEVICE) / 4
    return torch.stack([sobel, sobel.t()])[:, None].repeat(3, 1, 1, 1)


def reconstruction_loss(x, y, sobel):
    """Absolute, squared and edge differences of picture x and reconstruction y."""
    edges_x = F.conv2d(x, sobel, groups=3, padding=1)
    edges_y = F.conv2d(y, sobel, groups=3, padding=1)
    difference = 2 * (x - y).abs().mean() + 4 * (x - y).pow(2).mean()
    return difference + (edges_x - edges_y).abs().mean()


def coarse_loss(x, y):
    """Differences of colour at a half, a quarter and an eighth of the resolution."""
    return sum(F.avg_pool2d(x - y, k).abs().mean() for k in (2, 4, 8))


def generator_losses(discriminator, x, y):
    """How real reconstruction y looks, and how near its features are to those of picture x."""
    with amp():
        score, features_y = discriminator(y.contiguous(memory_format=CHANNELS_LAST))
        with torch.no_grad():
            _, features_x = discriminator(x)
    pairs = zip(features_y, features_x)
    matching = sum((a.float() - b.float()).abs().mean() for a, b in pairs)
    return -score.float().mean(), matching


def discriminator_loss(discriminator, x, y):
    """Hinge loss that tells pictures x from reconstructions y."""
    with amp():
        real, _ = discriminator(x)
        fake, _ = discriminator(y.detach().contiguous(memory_format=CHANNELS_LAST))
    return F.relu(1 - real.float()).mean() + F.relu(1 + fake.float()).mean()


def describe(log):
    """A line of a report; of the codes, how many differ."""
    numbers = {k: v.unique().numel() if k == 'used' else v.item() for k, v in log.items()}
    return ' '.join(f'{k} {v:.4f}' for k, v in numbers.items())


def train_vqgan(work, data, minutes):
    """Trains the tokenizer and writes vqgan.pt and vqgan.png (originals, reconstructions)."""
    images = load_images(work, data)
    net = VQGAN().to(DEVICE).to(memory_format=CHANNELS_LAST)
    discriminator = PatchDiscriminator().to(DEVICE).to(memory_format=CHANNELS_LAST)
    ema = EMA(net, 0.995)
    trained = [p for p in net.parameters() if p.requires_grad]
    generator_opt = torch.optim.AdamW(trained, betas=(0.5, 0.95), weight_decay=1e-4)
    discriminator_opt = torch.optim.AdamW(
        discriminator.parameters(), betas=(0.5, 0.95), weight_decay=1e-4
    )
    encode = compiled(net.encoder)
    decode = compiled(net.decoder)
    sobel = sobel_kernels()
    clock = Clock(minutes)
    progress = 0.0
    log = {}
    while progress < 1.0:
        x = training_batch(images)
        with amp():
            z = encode(x)
            with torch.autocast(DEVICE, enabled=False):
                z_q, commitment, codes = net.quantize(z.float())
            y = decode(z_q.contiguous(memory_format=CHANNELS_LAST))
        y = y.float()
        reconstruction = reconstruction_loss(x, y, sobel)
        loss = reconstruction + 0.3 * coarse_loss(x, y) + 0.25 * commitment
        adversarial = progress > ADVERSARIAL_START
        if adversarial:
            weight = min(1.0, (progress - ADVERSARIAL_START) / ADVERSARIAL_RAMP)
            realism, matching = generator_losses(discriminator, x, y)
            loss = loss + weight * (0.04 * realism + 0.5 * matching)
            log['g'] = realism.detach()
            log['fm'] = matching.detach()
        generator_opt.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        generator_opt.step()
        if clock.step % 2:
            ema.update(net)
        if adversarial:
            loss = discriminator_loss(discriminator, x, y)
            discriminator_opt.zero_grad(set_to_none=True)
            loss.backward()
            discriminator_opt.step()
            log['d'] = loss.detach()
        log.update(rec=reconstruction.detach(), commit=commitment.detach(), used=codes)
        optimizers = [(generator_opt, 6e-4), (discriminator_opt, 3e-4)]
        progress = clock.tick(optimizers, lambda: describe(log))
    state = ema.state(net)
    # The codebook is an average already.
    state['quantize.embedding.weight'] = net.quantize.embedding.weight.detach()
    torch.save(state, work / 'vqgan.pt')
    net.load_state_dict(state)
    net.eval()
    psnr = show_reconstructions(net, images, work / 'vqgan.png')
    print('psnr', psnr, 'steps', clock.step)


@torch.no_grad()
def show_reconstructions(net, images, path):
    """Writes a sheet of originals and reconstructions; returns their PSNR in dB."""
    n = len(images)
    x = fetch(images, torch.arange(0, n, max(1, n // 32), device=DEVICE)[:32])
    z_q, _, _ = net.quantize(net.encoder(x))
    y = net.decoder(z_q)
    save_pictures(torch.cat([x, y]), path)
    return -10 * math.log10((x - y.clamp(0, 1)).pow(2).mean().item())
