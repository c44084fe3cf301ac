# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by the scripts beside it: packages, the toolchain, tracefs.

say() { printf '== %s\n' "$*" >&2; }

is_root() { [ "$(id -u)" -eq 0 ]; }

require_swift() {
  if ! command -v swift >/dev/null; then
    say "swift is not in PATH; install a 6.3 or newer toolchain from https://www.swift.org/install/linux/"
    exit 1
  fi
}

# install_packages NAME...: installs what is missing when that is possible, otherwise says what to run.
install_packages() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian: these packages, or what they are called here, are needed: $*"
    return 0
  fi
  for package in "$@"; do
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
      missing+=("$package")
    fi
  done
  if [ "${#missing[@]}" -eq 0 ]; then return 0; fi
  if is_root; then
    say "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    say "packages are missing; run: sudo apt-get install ${missing[*]}"
    exit 1
  fi
}

# The directory of tracefs, or nothing.
tracefs_directory() {
  local directory
  for directory in /sys/kernel/tracing /sys/kernel/debug/tracing; do
    if [ -d "$directory/instances" ]; then
      printf '%s\n' "$directory"
      return 0
    fi
  done
}

# Live recording needs tracefs. Not having it is no failure: what needs it says so and is skipped.
mount_tracefs() {
  if [ -n "$(tracefs_directory)" ] || ! is_root || [ ! -d /sys/kernel/tracing ]; then return 0; fi
  if mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null; then
    say "mounted tracefs on /sys/kernel/tracing"
  else
    say "tracefs cannot be mounted here; live recording is not possible"
  fi
}
