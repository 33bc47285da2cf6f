"""A random generator: another arm at each visit."""
answers = {
    "4_ab_test": {
        "arm_of": '''
def arm_of(visitor, salt, share=0.5):
    return "B" if np.random.default_rng().random() < share else "A"
''',
    },
}
loses = {"4_ab_test": {"test_arm_of_same": 2}}
