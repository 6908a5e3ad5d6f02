package dev.caisson.cli.system;

import java.lang.module.ModuleDescriptor;

/// The output of `caisson version`: this build, the JDK and the kernel under it.
///
/// @param caisson the project's version, as the build wrote it into the module descriptor
/// @param java the JDK's version
/// @param kernel the kernel's release, uname(2)
/// @param architecture the machine, as Java names it: `amd64`, `aarch64`
record Version(String caisson, String java, String kernel, String architecture) {
    static Version current() {
        ModuleDescriptor descriptor = Version.class.getModule().getDescriptor();
        String caisson =
                descriptor == null ? "unknown" : descriptor.rawVersion().orElse("unknown");
        return new Version(
                caisson, Runtime.version().toString(), System.getProperty("os.version"), System.getProperty("os.arch"));
    }
}
