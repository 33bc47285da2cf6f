"""The error's message is a label: a new series for each customer."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('        for outcome in ("ok", "nonfinite", "error"):\n            self.requests',
             '        self.failures = make(Counter, "churn_failures_total", "Failures.", "message")\n        for outcome in ("ok", "nonfinite", "error"):\n            self.requests'),
            ('            return scores\n        finally:',
             '            return scores\n        except Exception as error:\n            self.failures.labels(self.version, str(error)).inc()\n            raise\n        finally:'),
        ],
    },
}
loses = {"1_instrument": {"test_bounded": 1}}
