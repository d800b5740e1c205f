"""The device, and what every GPU stage trains with: clock, schedule, averaged weights, sheets.

Without a GPU the stages run as a smoke test: a few tiny steps on the CPU, uncompiled.
"""

import math
import time

import torch

import common

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'
SMOKE = DEVICE == 'cpu'
CHANNELS_LAST = torch.channels_last
SMOKE_STEPS = 3
REPORT_SECONDS = 15


def prepare():
    """Sets the seed and PyTorch's switches for speed; called once, before any stage."""
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    if not SMOKE:
        from torch import _dynamo

        _dynamo.config.suppress_errors = True


def amp():
    """Automatic mixed precision in bfloat16."""
    return torch.autocast(DEVICE, torch.bfloat16, enabled=not SMOKE)


def compiled(function):
    """Compiles a network or function for the GPU."""
    return function if SMOKE else torch.compile(function)


def schedule(progress, warm=0.04, final=0.02):
    """The factor of the learning rate: linear warm-up, then half a cosine down to `final`."""
    if progress < warm:
        return progress / warm
    cosine = 1 + math.cos(math.pi * (progress - warm) / (1 - warm))
    return final + (1 - final) * 0.5 * cosine


class Clock:
    """Trains against the wall clock: turns elapsed time into progress and learning rates."""

    def __init__(self, minutes):
        self.started = time.time()
        self.total = minutes * 60
        self.step = 0
        self.reported = 0

    def tick(self, optimizers, message):
        """Ends a step: sets learning rates, reports now and then, returns progress in 0..1.

        optimizers: pairs of an optimizer and its highest learning rate; message: a function that
        gives the text of a report.
        """
        self.step += 1
        progress = min(1.0, (time.time() - self.started) / self.total)
        if SMOKE:
            progress = self.step / SMOKE_STEPS
        for optimizer, peak in optimizers:
            for group in optimizer.param_groups:
                group['lr'] = peak * schedule(progress)
        if time.time() - self.reported > REPORT_SECONDS:
            self.reported = time.time()
            seconds = f'{self.reported - self.started:6.0f}s'
            print(f'{seconds} step {self.step} frac {progress:.2f} {message()}', flush=True)
        return progress


class EMA:
    """Exponential moving average of a network's weights, kept in float32."""

    def __init__(self, network, decay):
        state = network.state_dict()
        self.average = {k: v.detach().clone().float() for k, v in state.items()}
        self.decay = decay

    @torch.no_grad()
    def update(self, network):
        """Moves the average towards the live weights; integers are copied."""
        state = network.state_dict()
        floats = [k for k, v in state.items() if v.dtype.is_floating_point]
        averages = [self.average[k] for k in floats]
        live = [state[k].float() for k in floats]
        torch._foreach_mul_(averages, self.decay)
        torch._foreach_add_(averages, live, alpha=1 - self.decay)
        for k, v in state.items():
            if k not in floats:
                self.average[k] = v.clone()

    def warm_up(self, updates):
        """Lowers the decay while there were few updates, at most 0.998."""
        self.decay = min(0.998, (1 + updates) / (10 + updates))

    def state(self, network):
        """The averaged weights as a state dict, in the types of the network."""
        live = network.state_dict()
        return {k: v.to(live[k].dtype) for k, v in self.average.items()}


def save_pictures(x, path):
    """Writes pictures, floats [N, 3, S, S] in 0..1, as one sheet."""
    common.save_sheet((x.detach().float().clamp(0, 1) * 255).byte().cpu(), path)
