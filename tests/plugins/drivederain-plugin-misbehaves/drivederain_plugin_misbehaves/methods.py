"""The methods. Each is good but for one thing."""

from __future__ import annotations

import os
import time

import torch
from torch import nn

from drivederain.method import Method
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe

KEPT = []


class Good(Method):
    def load(self, weights, device):
        pass

    def restore(self, rainy):
        return rainy * 0.9


class RaisesAtLoad(Good):
    def load(self, weights, device):
        raise FileNotFoundError("no licence file")


class RaisesMidway(Good):
    calls = 0

    def restore(self, rainy):
        type(self).calls += 1
        if self.calls > 2:
            raise ZeroDivisionError("on the third picture")
        return rainy


class ReturnsNaN(Good):
    def restore(self, rainy):
        return rainy / (rainy - rainy)


class WrongShape(Good):
    def restore(self, rainy):
        return rainy[..., ::2]


class Hangs(Good):
    def restore(self, rainy):
        while True:
            time.sleep(0.05)


class Grows(Good):
    def restore(self, rainy):
        while True:
            KEPT.append(bytearray(os.urandom(2**20)) * 64)


class Exits(Good):
    def restore(self, rainy):
        os._exit(7)


class WritesIntoInput(Good):
    def restore(self, rainy):
        return rainy.mul_(0.9)


class Network(Good):
    def load(self, weights, device):
        self.network = nn.Conv2d(3, 3, 1).to(device)
        if weights is not None:
            self.network.load_state_dict(dict(weights.tensors))

    def restore(self, rainy):
        return self.network(rainy)

    def training(self):
        return Recipe(RestorationModule(self.network))

    def state(self):
        return self.network.state_dict()


class KeepsParameters(Network):
    def load(self, weights, device):
        super().load(weights, device)
        KEPT.append(self.network)


class ForgetsWeights(Network):
    def load(self, weights, device):
        super().load(None, device)


class Unseeded(Good):
    def restore(self, rainy):
        return rainy + 0.2 * torch.rand_like(rainy)


class Of255(Good):
    def restore(self, rainy):
        return rainy * 255


class LooksAtItsBatch(Good):
    def restore(self, rainy):
        return rainy - rainy.mean(0, keepdim=True) + 0.5


class SeesTheWhole(Good):
    def restore(self, rainy):
        width = rainy.shape[-1]
        return rainy * torch.linspace(0, 1, width, device=rainy.device)
