"""The same deal in every experiment."""
answers = {
    "4_ab_test": {
        "arm_of": '''
def arm_of(visitor, salt, share=0.5):
    return "B" if int(hashlib.sha256(visitor.encode()).hexdigest()[:12], 16) / 16**12 < share else "A"
''',
    },
}
loses = {"4_ab_test": {"test_arm_of_salt": 1}}
