"""The engine vllm: a server of vLLM, in an environment and a process of its own, asked over its local API."""
