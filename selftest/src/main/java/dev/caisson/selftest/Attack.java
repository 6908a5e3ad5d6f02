package dev.caisson.selftest;

import dev.caisson.engine.Verdict;
import dev.caisson.spec.WritableLayer;
import java.util.Optional;
import java.util.Set;

/// One way in which a program may try to use up the host.
///
/// @param name as on the command line
/// @param aim what it uses up
/// @param limit what should stop it
/// @param script in Perl, after [Scripts#PRELUDE]
/// @param expected how it should be stopped
/// @param place where its container and the one beside it write to
public record Attack(
        String name, String aim, String limit, String script, Expected expected, WritableLayer.Place place) {
    Attack(String name, String aim, String limit, String script, Expected expected) {
        this(name, aim, limit, script, expected, WritableLayer.Place.ANY);
    }

    /// True if its container is on a network.
    public boolean isOnNetwork() {
        return switch (expected) {
            case Expected.Crowded _, Expected.Questioned _ -> true;
            case Expected.Refused _, Expected.Ended _, Expected.Bounded _, Expected.Answered _, Expected.Shared _ ->
                false;
        };
    }

    /// How an attack should be stopped.
    public sealed interface Expected {
        /// It gets so many and no more, and is told an error.
        ///
        /// @param errors any of the kernel's messages
        record Refused(long most, Set<String> errors) implements Expected {}

        /// It is ended.
        record Ended(Verdict verdict) implements Expected {}

        /// It may go on, within the memory limit, and gets no more than so many.
        record Bounded(long most) implements Expected {
            Bounded() {
                this(Long.MAX_VALUE);
            }
        }

        /// It may go on, in a container on a network, while a neighbor reaches a server there.
        ///
        /// @param gauge what it may use up of the host's, if the host counts that
        /// @param most how much more of that there may be
        record Crowded(Optional<Gauge> gauge, long most) implements Expected {}

        /// It may go on, while who answers for names spends no more than this share of one processor on it.
        record Questioned(double most) implements Expected {}

        /// It may go on, with no more processor time than a neighbour that has as large a share.
        record Shared() implements Expected {}

        /// It may go on, while the engine, which answers it, spends no more than this share of one
        /// processor on it.
        record Answered(double most) implements Expected {}
    }
}
