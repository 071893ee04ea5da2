"""The Wengert list as data: typed equations, how they print, are checked and run."""
