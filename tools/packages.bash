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
