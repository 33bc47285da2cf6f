"""The alert as a small state machine in a class, ends as lists."""
answers = {
    "3_over_time": {
        "alerts": '''
class Alert:
    def __init__(self, high, low, patience):
        self.high, self.low, self.patience = high, low, patience
        self.row, self.open, self.found = 0, False, []

    def look(self, number, value):
        if self.open:
            if value < self.low:
                self.found[-1][1] = number
                self.open, self.row = False, 0
            return
        self.row = (self.row + 1) * (value > self.high)
        if self.row >= self.patience:
            self.open = True
            self.found.append([number, None])


def alerts(values, raise_above, clear_below, patience=2):
    alert = Alert(raise_above, clear_below, patience)
    for number, value in enumerate(values):
        alert.look(number, value)
    return alert.found
''',
    },
}
