# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by tools/guest: kernels and packages of Debian, unpacked below $cache. Nothing is installed on this host.
# shellcheck disable=SC2154,SC2013

# apt_state ARCHITECTURE: sets `apt`, the options that make apt see an empty system of that architecture.
apt_state() {
  local state=$cache/apt-$1
  mkdir -p "$state/cache/archives/partial" "$state/lists/partial"
  : >"$state/status"
  apt=(-qq -o APT::Sandbox::User=root -o "APT::Architecture=$1" -o "APT::Architectures::=$1"
    -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache" -o Debug::NoLocking=1)
  if [ "$1" = "$(dpkg --print-architecture)" ]; then return 0; fi
  apt+=(-o "Dir::State::Lists=$state/lists")
  if [ -z "$(find "$state/lists" -name '*Packages*' -mtime -1 -print -quit)" ]; then
    apt-get "${apt[@]}" update >&2
  fi
}

# kernel_package VERSION ARCHITECTURE: the newest signed kernel package of a version such as 6.1.
kernel_package() {
  apt-cache "${apt[@]}" search --names-only "^linux-image-${1//./\\.}\.[^ ]*-$2\$" \
    | awk '$1 !~ /-(cloud|rt)-/ { print $1 }' | sort -V | tail -1
}

# unpack_kernel PACKAGE DIRECTORY: boot/ and lib/modules/ of the package, and the kernel itself as DIRECTORY/kernel.
unpack_kernel() {
  local package=$1 directory=$2 new version
  if [ -e "$directory/kernel" ]; then return 0; fi
  new=$(mktemp -d "$cache/new.XXXXXX")
  (cd "$new" && apt-get "${apt[@]}" download "$package" >&2 && dpkg-deb -x ./*.deb . && rm ./*.deb)
  version=$(basename "$new"/lib/modules/*)
  # bookworm's depmod looks below lib, whatever the package calls it.
  depmod -b "$new" "$version"
  uncompressed_kernel "$new/boot/vmlinuz-$version" "$new/kernel" || cp "$new/boot/vmlinuz-$version" "$new/kernel"
  rm -rf "$directory"
  mv -T "$new" "$directory"
}

# uncompressed_kernel IMAGE FILE: the ELF file within a bzImage. Booting that saves the emulated decompression.
uncompressed_kernel() {
  local image=$1 file=$2 format offset
  for format in 'xz -dcq:\xfd7zXZ\x00' 'zstd -dcq:\x28\xb5\x2f\xfd' 'gzip -dcq:\x1f\x8b\x08'; do
    for offset in $(LC_ALL=C grep -aobUP "${format#*:}" "$image" | cut -d: -f1); do
      tail -c +$((offset + 1)) "$image" | ${format%%:*} >"$file" 2>/dev/null || true
      if readelf -h "$file" >/dev/null 2>&1; then return 0; fi
      rm -f "$file"
    done
  done
  return 1
}

# unpack_package NAME ARCHITECTURE DIRECTORY: a package with what it depends on, no maintainer scripts.
unpack_package() {
  local archives=$cache/apt-$2/$1 archive
  if [ ! -e "$archives/complete" ]; then
    mkdir -p "$archives/partial"
    apt-get "${apt[@]}" -o "Dir::Cache::archives=$archives" -dy --no-install-recommends install "$1" >&2
    touch "$archives/complete"
  fi
  for archive in "$archives"/*.deb; do dpkg-deb -x "$archive" "$3"; done
}

# copy_modules KERNEL_DIRECTORY TARGET MODULE...: the modules and what they need, numbered in the order of loading.
copy_modules() {
  local kernel=$1 target=$2 version module file name number=100
  shift 2
  version=$(basename "$kernel"/lib/modules/*)
  for module in "$@"; do
    for file in $(modprobe -d "$kernel" -S "$version" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'); do
      name=$(basename "$file")
      name=${name%.xz}
      if compgen -G "$target/*-$name" >/dev/null; then continue; fi
      case $file in
        *.xz) xz -dc "$file" ;;
        *.zst) zstd -dcq "$file" ;;
        *) cat "$file" ;;
      esac >"$target/$((number++))-$name"
    done
  done
}
