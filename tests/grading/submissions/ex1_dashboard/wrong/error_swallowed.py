"""An error becomes an empty answer."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('            return scores\n        finally:',
             '            return scores\n        except Exception:\n            return []\n        finally:'),
        ],
    },
}
loses = {"1_instrument": {"test_error_passes": 1}}
