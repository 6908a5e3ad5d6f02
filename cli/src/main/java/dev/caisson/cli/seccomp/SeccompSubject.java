package dev.caisson.cli.seccomp;

import dev.caisson.seccomp.Profile;
import picocli.CommandLine.Parameters;

/// Options of a command on one profile: the profile, and its target.
final class SeccompSubject extends SeccompTarget {
    @Parameters(paramLabel = "PROFILE", description = "standard, strict, or a file of Docker's or the OCI's JSON.")
    private String name = "";

    Profile profile() {
        return SeccompOperand.profile(name);
    }
}
