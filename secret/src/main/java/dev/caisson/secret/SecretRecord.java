package dev.caisson.secret;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A secret as the index of a store has it: all but its values.
///
/// @param id of this secret and no other, also if one of its name is removed and created again
/// @param current the version that is handed out
/// @param versions oldest first
/// @param labels sorted by key
/// @param access which containers may be given it
/// @param source that it is bound to; empty if the store alone has its value
public record SecretRecord(
        SecretName name,
        String id,
        int current,
        List<SecretVersion> versions,
        Map<String, String> labels,
        SecretAccess access,
        Optional<BoundSource> source) {
    /// Versions that are retained; the oldest but the current one go first.
    public static final int MOST_VERSIONS = 16;

    public SecretRecord {
        versions = List.copyOf(versions);
        labels = Collections.unmodifiableMap(new TreeMap<>(labels));
    }

    /// Returns the version that is handed out.
    public SecretVersion currentVersion() {
        return version(current).orElseThrow(() -> new IllegalStateException(name + " has no version " + current));
    }

    public Optional<SecretVersion> version(int number) {
        return versions.stream().filter(version -> version.number() == number).findFirst();
    }

    SecretVersion require(int number) {
        return version(number)
                .orElseThrow(() -> new SecretException(
                        SecretException.Code.SECRET_UNKNOWN,
                        "the secret " + name + " has no version " + number + ": 'caisson secret versions " + name
                                + "' lists them"));
    }

    public Instant created() {
        return versions.getFirst().created();
    }

    public Instant updated() {
        return versions.getLast().created();
    }

    int nextNumber() {
        return versions.getLast().number() + 1;
    }

    /// Adds a version, which becomes the current one.
    SecretRecord with(SecretVersion added) {
        var all = new ArrayList<>(versions);
        all.add(added);
        while (all.size() > MOST_VERSIONS) {
            all.removeFirst();
        }
        return new SecretRecord(name, id, added.number(), all, labels, access, source);
    }

    SecretRecord withCurrent(int number) {
        return new SecretRecord(name, id, number, versions, labels, access, source);
    }

    SecretRecord withVersions(List<SecretVersion> others) {
        return new SecretRecord(name, id, current, others, labels, access, source);
    }

    SecretRecord withAccess(SecretAccess other) {
        return new SecretRecord(name, id, current, versions, labels, other, source);
    }

    SecretRecord withSource(Optional<BoundSource> other) {
        return new SecretRecord(name, id, current, versions, labels, access, other);
    }
}
