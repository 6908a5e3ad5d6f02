package dev.caisson.cli;

import dev.caisson.seccomp.Profile;
import picocli.CommandLine.Parameters;

/// What a command on one profile has: the profile, and what it is resolved for.
final class SeccompSubject extends SeccompTarget {
    @Parameters(paramLabel = "PROFILE", description = "standard, strict, or a file of Docker's or the OCI's JSON.")
    private String name = "";

    Profile profile() {
        return SeccompOperand.profile(name);
    }
}
