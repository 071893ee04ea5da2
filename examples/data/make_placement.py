"""Makes placement.csv: records of students who do not exist, drawn from a law that is written below."""

import csv
from pathlib import Path

import numpy as np

random = np.random.default_rng(1964)
n = 400
cgpa = random.normal(7.2, 1.0, n).clip(4.5, 9.9).round(2)
aptitude = (55 + 9 * (cgpa - 7.2) + random.normal(0, 12, n)).clip(5, 100).round()
projects = random.poisson(2.0, n).clip(0, 7)
internships = random.binomial(3, 0.3, n)
backlogs = random.poisson(np.exp(1.2 - 0.8 * (cgpa - 5.5))).clip(0, 6)

# Good marks help, and so does practice, but a weak side costs more than a strong one gains.
score = 1.1 * (cgpa - 7.0) + 0.05 * (aptitude - 55) + 0.5 * projects + 1.1 * internships - 1.3 * backlogs - 1.3
score -= 0.9 * ((projects == 0) & (internships == 0))
placed = random.random(n) < 1 / (1 + np.exp(-1.6 * score))

with (Path(__file__).parent / "placement.csv").open("w", newline="", encoding="utf-8") as file:
    file.write("# Made-up records, drawn by make_placement.py: they describe nobody.\n")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["cgpa", "aptitude", "projects", "internships", "backlogs", "placed"])
    for row in zip(cgpa, aptitude, projects, internships, backlogs, placed, strict=True):
        writer.writerow([f"{row[0]:.2f}", *[int(value) for value in row[1:]]])
