"""From a program to loop nests: what is fused, in which loops, with which indices."""
