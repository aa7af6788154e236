"""Our own decoder for processors: micro-kernels emitted as LLVM code, a step compiled by Numba, paged memory."""
