"""Muon for weight matrices, AdamW for everything else, in one optimiser.

Muon (Keller Jordan, 2024) replaces a matrix's momentum by its nearest orthogonal matrix, found by five
Newton-Schulz steps. Convolutions count as matrices of shape (out, in * k * k). The update is scaled so that its
entries are as large as Adam's (Liu et al., "Muon is scalable for LLM training"), so one learning rate serves both.
"""

from collections import defaultdict

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """The orthogonal factors of matrices (n, rows, columns), roughly: singular values end between 0.7 and 1.2."""
    flipped = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if flipped else matrices).bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(5):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if flipped else x


class Muon(torch.optim.Optimizer):
    """SGD with momentum whose matrix updates are made orthogonal; other tensors go to the wrapped AdamW."""

    def __init__(self, modules: list[torch.nn.Module], lr: float, momentum: float = 0.95):
        matrices, others = [], []
        for module in modules:
            embeddings = {id(m.weight) for m in module.modules() if isinstance(m, torch.nn.Embedding)}
            for parameter in module.parameters():
                if parameter.requires_grad:
                    is_matrix = (
                        parameter.ndim >= 2 and min(parameter.shape[:2]) >= 8 and id(parameter) not in embeddings
                    )
                    (matrices if is_matrix else others).append(parameter)
        super().__init__(matrices, {"lr": lr, "momentum": momentum})
        self.adam = torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)

    def set_lr(self, lr: float) -> None:
        for group in self.param_groups + self.adam.param_groups:
            group["lr"] = lr

    @torch.no_grad()
    def step(self, closure=None):
        self.adam.step()
        group = self.param_groups[0]
        parameters = [p for p in group["params"] if p.grad is not None]
        gradients = [p.grad for p in parameters]
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        momenta = [self.state[p]["momentum"] for p in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        directions = torch._foreach_lerp(gradients, momenta, group["momentum"])
        by_shape = defaultdict(list)
        for parameter, direction in zip(parameters, directions):
            by_shape[direction.flatten(1).shape].append((parameter, direction.flatten(1)))
        for shape, members in by_shape.items():
            updates = orthogonal(torch.stack([direction for _, direction in members])).float()
            for (parameter, _), update in zip(members, updates):
                parameter.add_(update.view(parameter.shape), alpha=-group["lr"] * 0.2 * max(shape) ** 0.5)

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none)
        self.adam.zero_grad(set_to_none)

    def state_dict(self):
        return {"muon": super().state_dict(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state):
        super().load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
