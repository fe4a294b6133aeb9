"""The student: a 2D stem over log-mel, residual 1D blocks over time, pooled to one embedding a segment."""
import torch
from torch import nn

import front_end as fe


class Block(nn.Module):
    """Residual block over time: a dilated and a pointwise 1D convolution."""

    def __init__(self, width, dilation):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Conv1d(width, width, 1, bias=False), nn.BatchNorm1d(width))

    def forward(self, x):
        return torch.relu(x + self.body(x))


class Student(nn.Module):
    """log_mel [batch, FRAMES, MEL_BANDS] -> logits [batch, tags], embedding [batch, 256], regression of the teachers' outputs."""

    def __init__(self, tags, auxiliary, width=160, channels=(16, 32, 48), embedding=256, wide=320):
        super().__init__()
        self.register_buffer("mean", torch.zeros(fe.MEL_BANDS))
        self.register_buffer("scale", torch.ones(fe.MEL_BANDS))
        a, b, c = channels
        self.stem = nn.Sequential(
            nn.Conv2d(1, a, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(a), nn.ReLU(),
            nn.Conv2d(a, b, 3, stride=(1, 2), padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(),
            nn.Conv2d(b, c, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(c), nn.ReLU())
        self.join = nn.Sequential(nn.Conv1d(c * 10, width, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU())
        self.blocks = nn.Sequential(*[Block(width, d) for d in (1, 2, 1, 2, 4)])
        self.out = nn.Sequential(nn.Conv1d(width, wide, 1, bias=False), nn.BatchNorm1d(wide), nn.ReLU())
        self.embed = nn.Linear(2 * wide, embedding)
        self.tag_head = nn.Sequential(nn.ReLU(), nn.Dropout(0.1), nn.Linear(embedding, tags))
        self.auxiliary = nn.Linear(embedding, auxiliary)

    def features(self, log_mel):
        x = ((log_mel - self.mean) * self.scale).unsqueeze(1)
        x = self.stem(x)                                # [n, c, time / 4, bands / 8]
        x = x.permute(0, 1, 3, 2).flatten(1, 2)         # [n, c * bands / 8, time / 4]
        x = self.out(self.blocks(self.join(x)))
        return self.embed(torch.cat([x.mean(2), x.amax(2)], 1))

    def forward(self, log_mel):
        e = self.features(log_mel)
        return self.tag_head(e), e, self.auxiliary(e)


NARROW = {"width": 96, "channels": (8, 16, 24), "wide": 192}


def student(tags, auxiliary, narrow=False):
    """The network that ships, or one about a third as dear for comparisons of training choices."""
    return Student(tags, auxiliary, **(NARROW if narrow else {}))


class Exported(nn.Module):
    """What the product runs: logits and embedding."""

    def __init__(self, student):
        super().__init__()
        self.student = student

    def forward(self, log_mel):
        e = self.student.features(log_mel)
        return self.student.tag_head(e), e
