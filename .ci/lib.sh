# Shared by the scripts beside it; sourced, never run.

# Where the cargo tools live that setup had to build: outside the clone, so that a fresh clone finds them again.
TOOLS=${TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/dface-tools}
export PATH="$TOOLS/bin:$PATH"
