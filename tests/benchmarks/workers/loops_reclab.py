"""A popularity recommender in RecLab's world of topics: CPU seconds a slate. Runs in RecLab's own interpreter."""

import json
import sys
import time


def main():
    job = json.load(sys.stdin)
    from reclab.environments.topics import Topics
    from reclab.recommenders import TopPop

    for users, steps in job["sizes"]:
        world, model = Topics(num_topics=10, num_users=users, num_items=job["items"]), TopPop()
        world.seed(1)
        people, items, ratings = world.reset()
        model.reset(people, items, ratings)
        steps = min(steps, job["items"] // job["slots"])        # nobody rates an item twice there
        start = time.process_time()
        for _ in range(steps):
            slates, _ = model.recommend(world.online_users, job["slots"])
            people, items, ratings, _ = world.step(slates)
            model.update(people, items, ratings)
        print(json.dumps((time.process_time() - start) / (users * steps)), flush=True)


if __name__ == "__main__":
    main()
