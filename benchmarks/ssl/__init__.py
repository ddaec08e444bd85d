"""Self-supervised training measured on CIFAR-10; see benchmarks/ssl.md."""

import os

# Threads that wait, for each other or for a core that a worker has, sleep instead of spinning. It must be said before
# torch is imported: three times the images a second on two cores that others used too (44 and 141).
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
