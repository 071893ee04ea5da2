"""Running Jupyter notebooks without Jupyter: reading, executing, recording outputs, writing."""
