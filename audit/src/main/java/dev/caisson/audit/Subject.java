package dev.caisson.audit;

import java.util.Locale;

/// The subject of a finding.
/// @param name unique among the subjects of its kind, and the same from run to run
public record Subject(Kind kind, String name) implements Comparable<Subject> {
    /// The kinds of subject, of files and of a live host.
    public enum Kind {
        HOST,
        DAEMON,
        IMAGE,
        CONTAINER,
        NETWORK,
        VOLUME,
        FILE,
        BUILD_STAGE,
        COMPOSE_SERVICE,
        KUBERNETES_CONTAINER,
        KUBERNETES_OBJECT;

        /// Returns a word such as `compose-service`.
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    @Override
    public int compareTo(Subject other) {
        int byKind = kind.compareTo(other.kind);
        return byKind != 0 ? byKind : name.compareTo(other.name);
    }

    @Override
    public String toString() {
        return name;
    }
}
