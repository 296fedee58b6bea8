"""All threads ask for the same new folders: nobody may fail because another was first."""
import os
import tempfile

from hammer import prove, together


def attempt(m):
    with tempfile.TemporaryDirectory() as top:
        errors = together(lambda n: [m.folder(os.path.join(top, "a%d" % i, "b")) for i in range(30)])
        return "%s: %s" % (type(errors[0]).__name__, errors[0]) if errors else None


prove(attempt)
