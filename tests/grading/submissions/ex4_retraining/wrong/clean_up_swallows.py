"""The error of the clean-up is swallowed."""
slips = {
    "4_pipeline": {
        "clean_up": [
            ('''    finally:
''',
             '''    except RuntimeError:
        pass
    finally:
'''),
        ],
    },
}
loses = {"4_pipeline": {"test_clean_up_told": 1}}
