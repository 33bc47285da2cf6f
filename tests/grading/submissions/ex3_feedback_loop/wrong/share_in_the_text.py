"""The share is hashed too, so visitors wander between arms as it grows."""
answers = {
    "4_ab_test": {
        "arm_of": '''
def arm_of(visitor, salt, share=0.5):
    lot = int(hashlib.sha256(f"{salt}:{visitor}:{share}".encode()).hexdigest()[:12], 16) / 16**12
    return "B" if lot < share else "A"
''',
    },
}
loses = {"4_ab_test": {"test_arm_of_same": 2}}
