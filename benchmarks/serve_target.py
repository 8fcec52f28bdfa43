"""One thing that answers, in a process of its own: prints its address and waits, or (the bare engine) its figures."""

import json
import os
import sys
import threading
from pathlib import Path

from inkseal.catalog.catalog import Catalog

AT_ONCE = 8


def ours(folder: Path, name: str, threads: int) -> None:
    """Serves the studio as `inkseal serve` does: engines in their own processes, checks, seals, records."""
    from inkseal import Studio
    from inkseal.serve.app import create_app
    from inkseal.serve.config import serve_config
    from inkseal.serve.server import address, bind, run

    os.environ["INKSEAL_THREADS"] = str(threads)
    with Studio.open(folder, isolate_engines=True) as studio:
        config = serve_config(studio.settings, port=0)
        with bind(config) as listening:
            run(create_app(studio, config), listening, lambda: print(address(listening), flush=True))


def llama_cpp(folder: Path, name: str, threads: int) -> None:
    """Serves the same file with llama.cpp's own server, with as many places."""
    import xllamacpp

    model = Catalog(folder).local(name)
    options = xllamacpp.CommonParams()
    options.model.path = str(next(model.folder / file for file in model.files))
    options.cpuparams.n_threads = options.cpuparams_batch.n_threads = threads
    options.n_ctx, options.n_parallel, options.verbosity = 16384, AT_ONCE, -1
    server = xllamacpp.Server(options)
    print(server.listening_address, flush=True)
    threading.Event().wait()


def engine(folder: Path, name: str, threads: int) -> None:
    """Answers orders that come line by line, with the engine in this process and nothing around it."""
    from serve import Order, threads_ask

    from inkseal.core.events import ignore
    from inkseal.studio.generate.backends.openvino import Openvino, OpenvinoConfig

    loaded = Openvino(OpenvinoConfig()).load(Catalog(folder).local(name), threads, ignore, threading.Event())
    places = threading.Semaphore(AT_ONCE)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(threads_ask(loaded, places, Order(**json.loads(line)))), flush=True)


TARGETS = {"inkseal": ours, "llama.cpp": llama_cpp, "bare engine": engine}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    TARGETS[sys.argv[1]](Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
