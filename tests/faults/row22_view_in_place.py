"""row: 22 a write to one of several views
ask: error
says: Output 0 of Unbind is a view and is being modified inplace | the view is `first` | out-of-place
"""

import wengert as torch

w = torch.ones(2, 3, requires_grad=True)
first, second = (w * 2).unbind(0)
first += 1  # FAULT: raised here
