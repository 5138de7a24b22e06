#!/bin/sh
# Prints the oldest supported Python on this machine (3.10, or else what `python3` is).
for candidate in python3.10 "$HOME"/.pyenv/versions/3.10.*/bin/python python3.11 python3; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "$candidate"
    exit 0
  fi
done
echo "no Python of at least 3.10 found" >&2
exit 1
