"""row: 13 create_graph=True leaves a graph in .grad
ask: graph_report()
kind: grad_graph
says: `w.grad` has a graph of its own | create_graph=True | w.grad = None
"""

import wengert as torch

w = torch.tensor([1.0, 2.0], requires_grad=True)
(w**3).sum().backward(create_graph=True)  # FAULT: nothing ends the graph of the gradient
