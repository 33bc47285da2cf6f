"""A pytest plugin that lets nbval run cells as Jupyter does, with history.

nbval runs cells without history. IPython looks there for the `;` that keeps a
cell from showing its last value, so without history each such cell shows it.
"""

from nbval.kernel import RunningKernel


def execute_cell_input(self, cell_input, allow_stdin=None):
    return self.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = execute_cell_input
