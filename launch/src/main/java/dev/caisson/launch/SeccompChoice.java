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
    /// @param json Docker's or the OCI's; it is read when its filter is not known yet, before anything is
    ///     changed
    record Custom(String name, String json) implements SeccompChoice {
        public Custom(String name, Profile profile) {
            this(name, profile.toJson());
        }

        /// Reads it.
        /// @throws dev.caisson.seccomp.SeccompException where it is none
        public Profile profile() {
            return Profile.parse(json);
        }
    }

    /// No filter at all; needs an allowance.
    record Unconfined() implements SeccompChoice {}

    /// One of the others, and the engine is asked about each call that it denies, so that the result can tell of it.
    ///
    /// @param complain whether such a call is let pass after all, for profiles on trial; needs an allowance
    record Watched(SeccompChoice choice, boolean complain) implements SeccompChoice {
        public Watched {
            if (choice instanceof Watched) {
                throw new IllegalArgumentException("a choice is watched once");
            }
        }
    }

    /// The choice itself, watched or not.
    default SeccompChoice plain() {
        return this instanceof Watched watched ? watched.choice() : this;
    }

    /// Whether the program can make every call.
    default boolean isOpen() {
        return plain() instanceof Unconfined || (this instanceof Watched watched && watched.complain());
    }
}
