"""Half and half, whatever the share."""
answers = {
    "4_ab_test": {
        "arm_of": '''
def arm_of(visitor, salt, share=0.5):
    return "B" if hashlib.sha256(f"{salt}:{visitor}".encode()).digest()[0] < 128 else "A"
''',
    },
}
loses = {"4_ab_test": {"test_arm_of_same": 2, "test_arm_of_share": 1}}
