"""Small perturbations of a sound as the network sees them: noise at a given ratio to the signal bounds how far each mel
band can move, and the gradient says which way hurts most."""
import torch


def reach(log_mel, ratio_db):
    """How far log-mel can move per band under noise that is `ratio_db` below the clip's own power, spread evenly: up and down."""
    power = log_mel.exp()
    noise = power.mean((1, 2), keepdim=True) * 10 ** (-ratio_db.view(-1, 1, 1) / 10)
    cross = 2 * (noise * power).sqrt()
    up = torch.log1p((noise + cross) / power)
    down = torch.log(((power - cross).clamp_min(noise * 0.1) + noise).clamp_min(1e-5) / power).clamp(max=0)
    return up, down


def worst(loss_of, log_mel, ratio_db):
    """One gradient step against the network inside that reach; `loss_of(log_mel)` is what the attacker raises."""
    moved = log_mel.clone().requires_grad_(True)
    gradient = torch.autograd.grad(loss_of(moved), moved)[0]
    up, down = reach(log_mel, ratio_db)
    return (log_mel + torch.where(gradient > 0, up, down)).detach()
