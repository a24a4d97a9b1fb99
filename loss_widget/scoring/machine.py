"""What this machine brings to judging: threads, bfloat16, GPUs. For people who wonder why it is slow."""

from __future__ import annotations

from dataclasses import dataclass

from loss_widget.scoring.extras import need
from loss_widget.scoring.precision import has_bfloat16


@dataclass(frozen=True)
class Machine:
    """`capability`: the widest vectors that torch uses on the CPU. `gpus`: their names. `cuda_build`: NVIDIA's could be used."""

    torch: str
    threads: int
    capability: str
    bfloat16: bool
    gpus: tuple[str, ...]
    cuda_build: bool


def this_machine() -> Machine:
    """Imports torch, which takes seconds."""
    need("torch", "transformers")
    import torch

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        gpus.append("Apple (mps)")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Machine(
        torch=torch.__version__,
        threads=torch.get_num_threads(),
        capability=torch.backends.cpu.get_cpu_capability(),
        bfloat16=has_bfloat16(device),
        gpus=tuple(gpus),
        cuda_build=torch.version.cuda is not None,
    )
