"""llama.cpp's own HTTP server, as a stranger's engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def llama_server(gguf: Path, context_tokens: int = 2048, slots: int = 2) -> Iterator[str]:
    """Serves the model on this machine while the block runs; gives the base address."""
    import xllamacpp

    from inkseal.studio.generate.backends.llama_cpp import started

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.n_ctx, params.n_parallel, params.kv_unified = context_tokens, slots, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup, params.verbosity, params.cache_ram_mib = False, 0, 0
    params.use_jinja = True
    server = started(params)
    yield f"{server.listening_address}/v1"
    del server
