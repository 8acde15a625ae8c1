"""Modules of torch that are the twins of ours, where torch has none or another one."""

import numpy as np
import torch
from torch import nn


class KnownMask(nn.Module):
    """torch's dropout with the mask that minidl documents: torch's own generator draws another."""

    def __init__(self, shape, p_drop, seed):
        super().__init__()
        self.p_drop = p_drop
        keep = np.random.default_rng(seed).random(shape, dtype=np.float32) >= p_drop
        self.keep = torch.from_numpy(np.asarray(keep))

    def forward(self, x):
        if not self.training:
            return nn.functional.dropout(x, self.p_drop, training=False)
        return x * self.keep.to(x.dtype).div(1 - self.p_drop)


class FeaturesLast(nn.BatchNorm1d):
    """torch's batch norm for features on the last of any number of axes."""

    def forward(self, x):
        return super().forward(x.reshape(-1, x.shape[-1])).reshape(x.shape)


class Around(nn.Module):
    """What `Residual` is, for modules of torch."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


class SideBySide(nn.Sequential):
    """What `Concat` is, for modules of torch."""

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], -1)
