# What the caller's environment may not change: options of the JVM and of the dynamic linker, and what the C library
# ignores in a set-user-ID program (ld.so(8)). A container that is to have such a variable (--env NAME) still finds the
# caller's value, under a name that nobody else reads.
clear_environment() {
  local name
  unset -v "${!CAISSON_CALLER_@}"
  for name in JDK_JAVA_OPTIONS JAVA_TOOL_OPTIONS JDK_AOT_VM_OPTIONS JDK_ALTERNATE_VM CLASSPATH \
    "${!_J@}" "${!LD_@}" "${!MALLOC_@}" GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN LOCPATH NIS_PATH \
    NLSPATH RESOLV_HOST_CONF RES_OPTIONS TZDIR; do
    [[ -v $name ]] || continue
    export "CAISSON_CALLER_$name=${!name}"
    unset -v "$name"
  done
}
