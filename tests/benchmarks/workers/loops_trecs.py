"""A popularity recommender of T-RECS: CPU seconds a slate. Runs in T-RECS's own interpreter."""

import json
import os
import sys
import tempfile
import time
import types

# Its matrix factorisation needs a library that no longer installs beside it, and is not used here.
for name in ("lenskit", "lenskit.algorithms", "lenskit.algorithms.als"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["lenskit.algorithms"].als = sys.modules["lenskit.algorithms.als"]


def main():
    job = json.load(sys.stdin)
    os.chdir(tempfile.mkdtemp())        # it leaves a log wherever it runs
    from trecs.models import PopularityRecommender

    for users, steps in job["sizes"]:
        model = PopularityRecommender(num_users=users, num_items=job["items"], num_items_per_iter=job["slots"], seed=1)
        start = time.process_time()
        model.run(timesteps=steps, disable_tqdm=True)
        print(json.dumps((time.process_time() - start) / (users * steps)), flush=True)


if __name__ == "__main__":
    main()
