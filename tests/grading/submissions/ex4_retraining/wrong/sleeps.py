"""A task that sleeps in place of a sensor."""
slips = {
    "5_dag_tests_page": {
        "dag_file": [
            ('@task.sensor(mode="reschedule", poke_interval=600, timeout=14 * 86400)',
             '@task'),
            ('return PokeReturnValue(is_done=advance(run_id, "watch") != "watch")',
             '''import time
        while advance(run_id, "watch") == "watch":
            time.sleep(0)'''),
        ],
    },
}
loses = {"5_dag_tests_page": {"test_dag_watch": 1}}
