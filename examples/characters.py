"""Which letter comes next? A network that learns to write in the manner of a short story.

It reads the last 8 characters, each as a vector that it learns, as the first neural language model did (Bengio et al.,
2003, for words). The story, data/lighthouse.txt, was written for this example.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from showing import DATA, plot, progress, settings

import wengert as torch

TEXT = (DATA / "lighthouse.txt").read_text(encoding="utf-8")
ALPHABET = sorted(set(TEXT))
CONTEXT, WIDTH, HIDDEN = 8, 16, 256


def data() -> tuple[Any, Any, Any, Any]:
    """The characters before each character, and that character; the last tenth of the text is for testing."""
    codes = np.array([ALPHABET.index(character) for character in TEXT])
    before = np.lib.stride_tricks.sliding_window_view(codes, CONTEXT)[:-1]
    after = codes[CONTEXT:]
    train, test = slice(0, len(after) * 9 // 10), slice(len(after) * 9 // 10, None)
    return tuple(torch.from_numpy(part.copy()) for part in (before[train], after[train], before[test], after[test]))


def network() -> Any:
    nn = torch.nn
    return nn.Sequential(
        nn.Embedding(len(ALPHABET), WIDTH),
        nn.Flatten(),
        nn.Linear(CONTEXT * WIDTH, HIDDEN),
        nn.Tanh(),
        nn.Dropout(0.5),
        nn.Linear(HIDDEN, len(ALPHABET)),
    )


def optimizer(net: Any) -> Any:
    return torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.1)


def loss_of(net: Any, x: Any, y: Any) -> Any:
    return torch.nn.functional.cross_entropy(net(x), y)


def written(net: Any, start: str, length: int, temperature: float = 0.6) -> str:
    """What the network writes after ``start``, one character after the other."""
    text = start
    with torch.no_grad():
        for _ in range(length):
            last = torch.tensor([[ALPHABET.index(character) for character in text[-CONTEXT:]]])
            chances = torch.softmax(net(last)[0] / temperature, 0)
            text += ALPHABET[torch.multinomial(chances, 1).item()]
    return text


def main(arguments: list[str] | None = None) -> dict[str, float]:
    asked = settings(__doc__ or "", arguments)
    torch.manual_seed(0)
    x, y, x_test, y_test = data()
    net = network()
    steps = optimizer(net)
    number = 500 if asked.quick else 1600
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(steps, number)
    losses: list[float] = []
    tests: list[tuple[int, float]] = []
    says: dict[str, float] = {}
    for i in progress(range(number), number, says):
        if i % 100 == 0 or i == number - 1:
            net.eval()
            with torch.no_grad():
                tests.append((i, loss_of(net, x_test, y_test).item()))
            net.train()
        batch = torch.randint(0, len(y), (128,))
        steps.zero_grad()
        loss = loss_of(net, x[batch], y[batch])
        loss.backward()
        steps.step()
        rates.step()
        losses.append(loss.item())
        says["bits a character"] = np.mean(losses[-50:]) / np.log(2)

    net.eval()
    bits, guessing = tests[-1][1] / np.log(2), np.log2(len(ALPHABET))
    print(written(net, "The keeper of", 240))
    print(f"{bits:.2f} bits a character on the end of the story (guessing: {guessing:.2f})")
    with plot(asked.plot) as axes:
        axes.plot(np.array(losses) / np.log(2), alpha=0.5, label="training")
        axes.plot([i for i, _ in tests], [value / np.log(2) for _, value in tests], "k.-", label="end of the story")
        axes.set(xlabel="step", ylabel="bits a character")
        axes.legend()
    return {"bits": bits, "guessing": guessing}


if __name__ == "__main__":
    main()
