# Sourced by tools/build and check: what packages.txt asks for, what of it is missing, how it is installed.

# The home of a JDK 25 with a compiler, in $jdk: JAVA_HOME, then /usr/lib/jvm, then the PATH.
find_jdk() {
  local home java
  local -a homes=("${JAVA_HOME:-}" /usr/lib/jvm/*25*)
  if java=$(type -P javac); then
    java=$(readlink -f -- "$java")
    homes+=("${java%/bin/javac}")
  fi
  for home in "${homes[@]}"; do
    if [[ -n $home && -x $home/bin/java && -x $home/bin/javac && -r $home/release ]] \
      && [[ $(<"$home/release") =~ JAVA_VERSION=\"25[.\"] ]]; then
      jdk=$home
      return 0
    fi
  done
  return 1
}

present() {
  local jdk
  case $1 in
    jdk25) find_jdk ;;
    /*) compgen -G "$1" >/dev/null ;;
    *) type -P "$1" >/dev/null ;;
  esac
}

# Fills the array `missing` with the packages of the given purposes whose proof is not there.
find_missing() {
  local purpose package proof wanted=" $* "
  missing=()
  while read -r purpose package proof; do
    [[ $purpose == '#'* || -z $package || $wanted != *" $purpose "* ]] && continue
    present "$proof" || missing+=("$package")
  done <"$clone/tools/packages.txt"
}

# Installs packages by apt, its output to the log. False where this is not root on a Debian.
install_packages() {
  [[ $EUID == 0 ]] && type -P apt-get >/dev/null || return 1
  {
    apt-get -q update \
      && DEBIAN_FRONTEND=noninteractive apt-get -qy -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
        install --no-install-recommends "$@"
  } </dev/null >>"$log" 2>&1
}

# Where a kernel for whole machines is, in $kernel and $modules: one of this machine's, or the one that was fetched.
find_kernel() {
  local file version
  for file in "$clone"/.caisson/kernel/boot/vmlinuz-*-cloud-amd64 /boot/vmlinuz-*-cloud-amd64; do
    version=${file##*/vmlinuz-}
    for modules in "${file%/boot/*}"/{usr/,}lib/modules/"$version"; do
      kernel=$file
      [[ -r $kernel && -d $modules ]] && return 0
    done
  done
  return 1
}

# Unpacks a package below .caisson and does not install it: a kernel that is installed is also booted.
fetch_kernel() {
  local into=$clone/.caisson/kernel package
  find_kernel && return 0
  type -P apt-get >/dev/null || return 1
  rm -rf -- "$into"
  mkdir -p -- "$into/boot" || return 1
  {
    apt-get -q update
    package=$(apt-cache depends --important linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p') \
      && (cd -- "$into" && apt-get -q -o APT::Sandbox::User=root download "$package" && dpkg-deb -x ./*.deb . && rm ./*.deb) \
      && depmod -b "$into/usr" "${package#linux-image-}"
  } </dev/null >>"$log" 2>&1
  find_kernel
}
