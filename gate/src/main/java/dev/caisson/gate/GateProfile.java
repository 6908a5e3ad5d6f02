package dev.caisson.gate;

import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Compiler;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.Target;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/// The system calls that the process of a gate may make: those that a JVM lives with, without programs, mounts,
/// namespaces, other processes and sockets that it opens or connects itself.
final class GateProfile {
    private static final class Compiled {
        private static final byte[] FILTER = filter().bytes();
    }

    private GateProfile() {}

    /// Returns the filter for this machine.
    static byte[] bytes() {
        return Compiled.FILTER.clone();
    }

    static Filter filter() {
        try (InputStream in = Objects.requireNonNull(GateProfile.class.getResourceAsStream("process.json"))) {
            Profile profile = Profile.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            return Compiler.compile(
                    profile,
                    new Target(Architecture.host(), KernelVersion.parse(System.getProperty("os.version")), 0L));
        } catch (IOException e) {
            throw new IllegalStateException("the profile of gates cannot be read", e);
        }
    }
}
