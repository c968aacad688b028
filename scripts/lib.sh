# shellcheck shell=bash
# What the scripts share. Sourced with the repository as the working directory.

# find_python VERSION...: prints the first interpreter of one of these versions that can make a virtual environment.
find_python() {
  local version candidate
  for version in "$@"; do
    for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
      "$candidate" - "$version" 2>/dev/null <<'EOF' && return
import ensurepip, os, sys, venv
if sys.argv[1] != "%d.%d" % sys.version_info[:2]:
    raise SystemExit(1)
print(os.path.join(sys.base_prefix, "bin", "python" + sys.argv[1]))  # and not a virtual environment's that is active
EOF
    done
  done
  return 1
}

# make_env DIR PYTHON PIP_ARGUMENT...: makes the virtual environment, or keeps it while nothing it is made of changed.
# The pip of .venv fills all others: to make one in each takes longer than to install what most of them hold.
make_env() {
  local dir=$1 python=$2 stamp venv filler
  shift 2
  venv=(-m venv --clear --without-pip)
  filler=(.venv/bin/python -m pip --python "$dir/bin/python")
  if [[ $dir == .venv ]]; then
    venv=(-m venv --clear)
    filler=(.venv/bin/python -m pip)
  fi
  stamp=$({ "$python" -VV && printf '%s\n' "$python" "$@" && cat requirements*.txt; } | sha256sum)
  if [[ $(cat "$dir/.stamp" 2>/dev/null) == "$stamp" ]]; then return; fi
  "$python" "${venv[@]}" "$dir"
  "${filler[@]}" install -qq --disable-pip-version-check "$@"
  printf '%s\n' "$stamp" >"$dir/.stamp"
}

# make_dev_env: makes .venv and puts it first in PATH.
make_dev_env() {
  local python
  python=$(find_python 3.11 3.12 3.13) || {
    echo "No Python 3.11, 3.12 or 3.13 with venv and ensurepip found (Debian: apt-get install python3-venv)." >&2
    return 1
  }
  make_env .venv "$python" -r requirements-dev.txt
  PATH=$PWD/.venv/bin:$PATH
}
