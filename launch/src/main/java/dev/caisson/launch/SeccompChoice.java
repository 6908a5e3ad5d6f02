package dev.caisson.launch;

import dev.caisson.seccomp.Profile;

/// Which system calls a container's program may make.
public sealed interface SeccompChoice {
    /// Caisson's own profile.
    record Standard() implements SeccompChoice {}

    /// Pure computing on files that are open or in the image.
    record Strict() implements SeccompChoice {}

    /// A profile of the user's.
    ///
    /// @param name what to call it in messages, as its file name
    record Custom(String name, Profile profile) implements SeccompChoice {}

    /// No filter at all; needs an allowance.
    record Unconfined() implements SeccompChoice {}
}
