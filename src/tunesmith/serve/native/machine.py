"""From LLVM code to addresses that can be called; what was compiled once is kept on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from tunesmith.core import durable
from tunesmith.serve.native import emit, store
from tunesmith.serve.native.formats import Format
from tunesmith.serve.native.isa import Isa

_OPTIMISED = 3


@dataclass(frozen=True, slots=True)
class Kernels:
    """The kernels of one format: `addresses[n]` takes `n` rows, and there is none for 0."""

    format: Format
    addresses: tuple[int, ...]
    _engine: Any = field(repr=False)  # the code lives as long as this does


def compile_kernels(kind: Format, isa: Isa) -> Kernels:
    """Kernels ready to be called on this processor, which must have what `isa` needs."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target(isa))
    engine.add_object_file(llvm.ObjectFileRef.from_data(_compiled(kind, isa)))
    engine.finalize_object()
    found = [engine.get_function_address(f"rows_{rows}") for rows in range(1, isa.rows + 1)]
    return Kernels(kind, (0, *found), engine)


def assembly(kind: Format, isa: Isa) -> str:
    """The kernels in the words of the processor, which may be another than this."""
    return str(target(isa).emit_assembly(optimised(kind, isa)))


def target(isa: Isa) -> Any:
    """LLVM's idea of a processor that has what `isa` needs, and nothing more that matters."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = llvm.get_process_triple()
    features = ",".join(f"+{name}" for name in isa.features)
    # Tuned for this processor, but with the instructions of `isa` only.
    return llvm.Target.from_triple(triple).create_target_machine(
        cpu="", features=features, opt=_OPTIMISED, jit=True, codemodel="jitdefault"
    )


def optimised(kind: Format, isa: Isa) -> Any:
    """The module of a format after LLVM's passes."""
    module = llvm.parse_assembly(emit.module(kind, isa))
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=_OPTIMISED)
    passes = llvm.create_pass_builder(target(isa), options)
    passes.getModulePassManager().run(module, passes)
    return module


def _compiled(kind: Format, isa: Isa) -> bytes:
    text = f"{llvmlite.__version__} {llvm.get_process_triple()} {isa} {emit.module(kind, isa)}"
    path = store.code() / f"{hashlib.sha256(text.encode()).hexdigest()}.o"
    if path.is_file():
        return path.read_bytes()
    made = bytes(target(isa).emit_object(optimised(kind, isa)))
    durable.write_bytes(path, made)
    return made
