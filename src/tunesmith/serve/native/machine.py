"""From LLVM code to addresses that can be called; what was compiled once is kept on disk."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from tunesmith.core import durable
from tunesmith.serve.native import compiler, emit, store
from tunesmith.serve.native.formats import Format
from tunesmith.serve.native.isa import Isa

_OPTIMISED = 3
_MOST = 64 * 2**20  # bytes of objects that are kept
_DIGEST = 32  # bytes before an object: a damaged one would end the process
_C: dict[str, Any] = {"int": ctypes.c_int64, "bool": ctypes.c_int64, "float": ctypes.c_float, "None": None}


@dataclass(frozen=True, slots=True)
class Kernels:
    """The kernels of one format: `addresses[n]` takes `n` rows, and there is none for 0."""

    format: Format
    addresses: tuple[int, ...]
    _engine: Any = field(repr=False)  # the code lives as long as this does


def kernels(kind: Format, isa: Isa) -> Kernels:
    """Kernels ready to be called on this processor, which must have what `isa` needs."""
    engine = _loaded(emit.module(kind, isa), isa)
    found = [engine.get_function_address(f"rows_{rows}") for rows in range(1, emit.most_rows(kind, isa) + 1)]
    return Kernels(kind, (0, *found), engine)


def functions(entries: Sequence[Callable[..., Any]], isa: Isa) -> list[Callable[..., Any]]:
    """Compiled functions, to be called from Python; other threads run meanwhile."""
    engine = _loaded(compiler.module(entries), isa)
    return [_called(entry, engine) for entry in entries]


def _called(entry: Callable[..., Any], engine: Any) -> Callable[..., Any]:
    *taken, given = (_C[name] for name in compiler.signature(entry))
    made = ctypes.CFUNCTYPE(given, *taken)(engine.get_function_address(entry.__name__))
    made.engine = engine  # type: ignore[attr-defined]  # the code lives as long as this does
    return made


def assembly(code: str, isa: Isa) -> str:
    """LLVM code in the words of a processor, which may be another than this."""
    return str(target(isa).emit_assembly(optimised(code, isa)))


def target(isa: Isa) -> Any:
    """LLVM's idea of a processor that has what `isa` needs."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = ",".join(f"+{name}" for name in isa.features)
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu="", features=features, opt=_OPTIMISED, jit=True, codemodel="jitdefault"
    )


def optimised(code: str, isa: Isa) -> Any:
    """A module after LLVM's passes."""
    module = llvm.parse_assembly(code)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=_OPTIMISED)
    options.loop_vectorization = options.slp_vectorization = True
    passes = llvm.create_pass_builder(target(isa), options)
    passes.getModulePassManager().run(module, passes)
    return module


def _loaded(code: str, isa: Isa) -> Any:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target(isa))
    machine_code = _object(code, isa)  # LLVM reads these bytes without a copy, until the object is finalised
    engine.add_object_file(llvm.ObjectFileRef.from_data(machine_code))
    engine.finalize_object()
    return engine


def _object(code: str, isa: Isa) -> bytes:
    key = f"{llvmlite.__version__} {llvm.get_process_triple()} {isa} {code}"
    path = store.code() / f"{hashlib.sha256(key.encode()).hexdigest()}.o"
    kept = path.read_bytes() if path.is_file() else b""
    made = kept[_DIGEST:]
    if kept[:_DIGEST] != hashlib.sha256(made).digest():
        made = bytes(target(isa).emit_object(optimised(code, isa)))
        durable.write_bytes(path, hashlib.sha256(made).digest() + made)
    store.used(path, _MOST)
    return made
