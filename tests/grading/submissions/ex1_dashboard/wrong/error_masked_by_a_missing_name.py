"""The chapter's slip: the except branch counts on a name that is not there, and a NameError hides the model's error."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('            return scores\n        finally:',
             '            return scores\n        except Exception as e:\n            error_counter.labels(self.version).inc()\n            raise e\n        finally:'),
        ],
    },
}
loses = {"1_instrument": {"test_error_passes": 1}}
