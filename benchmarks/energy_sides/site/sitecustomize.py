"""Points perun at the fake powercap tree, in its monitoring process too, which is a fresh interpreter."""

import os

if os.environ.get("FAKE_POWERCAP"):
    import perun.backend.powercap_rapl as powercap

    powercap.RAPL_PATH = os.environ["FAKE_POWERCAP"] + "/"
