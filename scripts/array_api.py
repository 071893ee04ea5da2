"""Writes the table of docs/array-api.md: how many checks of the array API standard pass. `--check` only compares."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "array-api.md"
BEGIN, END = "<!-- counts -->", "<!-- end of counts -->"
KINDS = {
    "test_name": "names of the standard that are there",
    "test_arguments": "functions whose arguments are the standard's",
    "test_unary": "elementwise functions of one array",
    "test_binary": "elementwise functions of two arrays",
    "test_edges": "real functions of one array at infinities, NaN, zeros of both signs, the ends of the range",
    "test_edges_of_two": "real functions of two arrays, all pairs of these",
    "test_special_values_of_complex_expm1": "special values of a complex function",
    "test_binary_with_a_number": "the same with a number for one",
    "test_function": "groups of other functions",
    "test_operator": "operators",
    "test_gradient": "functions whose gradient is that of differences",
    "test_special": "special functions: SciPy's values, the gradient of differences",
    "test_indexing": "keys and dtypes in brackets",
}


def counts() -> str:
    """The table, from a run of the checks."""
    tests = ["tests/test_array_api.py", "tests/test_array_api_calls.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--no-header", "-p", "no:cacheprovider", *tests]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S+::(\w+)", output, re.MULTILINE)
    lines = ["| what is checked | pass | fail |", "|---|---|---|"]
    for name, title in KINDS.items():
        results = [result for result, test in found if test == name]
        passed = results.count("PASSED")
        lines.append(f"| {title} | {passed} | {len(results) - passed} |")
    passed = [result for result, _ in found].count("PASSED")
    lines.append(f"| all, with those of writing, masks and gradients | {passed} | {len(found) - passed} |")
    return "\n".join(lines)


def main() -> int:
    """Renew or compare the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    renewed = f"{before}{BEGIN}\n{counts()}\n{END}{rest.split(END)[1]}"
    if "--check" in sys.argv:
        if renewed != page:
            sys.stderr.write("docs/array-api.md is not what the checks say: run scripts/array_api.py\n")
        return int(renewed != page)
    PAGE.write_text(renewed, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
