package dev.caisson.watch;

import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.Target;
import dev.caisson.spec.SeccompChoice.Watch;
import java.util.function.Supplier;

/// The container whose filter's questions are answered.
///
/// @param filter that answers itself, where the container's asks
/// @param profile what the filter was made of; it is read when the first call is denied
public record DenialSubject(Filter filter, Supplier<Profile> profile, Target target, Watch watch) {
    /// True if its program can hand over the listener: the filter neither denies sendmsg(2) nor asks about it.
    boolean handsOver() {
        return watch == Watch.TELL && filter.letsSendMessages();
    }
}
