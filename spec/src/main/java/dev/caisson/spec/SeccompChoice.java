package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.seccomp.Profile;

/// The system calls that a container's program may make.
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
        public Custom {
            present(name, "name");
            present(json, "json");
        }

        public Custom(String name, Profile profile) {
            this(name, present(profile, "profile").toJson());
        }

        /// Reads it.
        /// @throws dev.caisson.seccomp.SeccompException where it is none
        public Profile profile() {
            return Profile.parse(json);
        }

        /// Without the profile itself, which may be long.
        @Override
        public String toString() {
            return "Custom[name=" + name + "]";
        }
    }

    /// No filter at all; needs an allowance.
    record Unconfined() implements SeccompChoice {}

    /// One of the others, and the engine is asked about calls.
    record Watched(SeccompChoice choice, Watch watch) implements SeccompChoice {
        public Watched {
            present(watch, "watch");
            if (present(choice, "choice") instanceof Watched) {
                throw ArgumentException.invalid("the choice is watched already: pass the one inside it");
            }
        }
    }

    /// The calls that the engine is asked about, and its answer.
    enum Watch {
        /// Calls that the profile denies: they are denied, and the result tells of them.
        TELL,
        /// The same calls, but they are let pass, for profiles on trial; needs an allowance.
        COMPLAIN,
        /// Like [#COMPLAIN], and the result has a profile that allows them too. The answers are not
        /// bounded in number: for programs that are trusted so far.
        LEARN,
        /// Every call: those that the profile allows are let pass, the others denied, and all are
        /// counted, which is how a program is recorded where the kernel takes no eBPF program. It costs
        /// each call tens of microseconds, and the program can use up a processor of the engine's: for
        /// programs that are trusted so far.
        RECORD;

        /// True if the profile denies nothing any more, with an error other than ENOSYS.
        public boolean letsDeniedPass() {
            return this == COMPLAIN || this == LEARN;
        }
    }

    /// The choice itself, watched or not.
    default SeccompChoice plain() {
        return this instanceof Watched watched ? watched.choice() : this;
    }

    /// True if the program can make every call.
    default boolean isOpen() {
        return plain() instanceof Unconfined
                || (this instanceof Watched watched && watched.watch().letsDeniedPass());
    }
}
