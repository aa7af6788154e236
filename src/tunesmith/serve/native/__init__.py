"""Our own decoder for processors: kernels and steps compiled by LLVM on the spot, over paged memory."""
