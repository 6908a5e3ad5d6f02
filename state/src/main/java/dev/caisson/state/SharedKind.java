package dev.caisson.state;

import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.SharedName;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.WorkspaceName;
import java.nio.file.Path;
import java.util.Optional;

/// A kind of directory that containers share: where it is kept, and how one is spoken of.
public enum SharedKind {
    WORKSPACE("workspace", 1000),
    VOLUME("volume", 4000);

    private final String word;
    private final int most;

    /// @param most that one state directory has
    SharedKind(String word, int most) {
        this.word = word;
        this.most = most;
    }

    /// Returns the directory below the data directory.
    String directory() {
        return word + "s";
    }

    /// Returns the name of the file that has what is written down of one.
    String record() {
        return word + ".json";
    }

    int most() {
        return most;
    }

    /// Returns a name of this kind; empty for a text that is none.
    Optional<SharedName> name(String text) {
        return switch (this) {
            case WORKSPACE -> WorkspaceName.isValid(text) ? Optional.of(new WorkspaceName(text)) : Optional.empty();
            case VOLUME -> VolumeName.isValid(text) ? Optional.of(new VolumeName(text)) : Optional.empty();
        };
    }

    private StateException failure(String reason, String sentence) {
        return new StateException(name() + reason, sentence);
    }

    StateException unknown(SharedName name) {
        return failure(
                "_UNKNOWN",
                "no " + word + " has the name " + name + ": create it with 'caisson " + word + " create " + name + "'");
    }

    StateException exists(SharedName name) {
        return failure("_EXISTS", "a " + word + " has the name " + name + " already: give another, or remove it");
    }

    /// Returns the failure of a removal.
    StateException inUse(SharedName name) {
        return failure("_IN_USE", "the " + word + " " + name + " is in use: remove the containers that have it first");
    }

    StateException unreadable(SharedName name) {
        return failure(
                "_UNREADABLE",
                "the " + word + " " + name + " has no readable " + record()
                        + ": remove it, or use the version of caisson that made it");
    }

    StateException noMedium(Path data) {
        return failure(
                "_MEDIUM",
                "nothing on this host can bound a " + word + ": mount the file system of " + data
                        + " with project quotas (prjquota), or give this process mkfs.ext4 and loop devices");
    }

    StateException tooMany(int count) {
        return new StateException(
                "TOO_MANY_" + name() + "S",
                count + " " + word + "s are there: remove some, or all that nobody uses with 'caisson " + word
                        + " prune'");
    }

    StateException full(String size, Path data, String free) {
        return new StateException(
                "STORAGE_FULL",
                "a " + word + " of " + size + " does not fit into " + data + ", which has " + free
                        + " left: ask for less, or make room");
    }

    StateException failed(ErrnoException e) {
        return new StateException(
                "STORAGE_FAILED",
                "the " + word + " could not be made (" + e.getMessage() + "): see the kernel's log",
                e);
    }

    StateException dataUnusable(Path data, ErrnoException e) {
        return new StateException(
                "DATA_UNUSABLE",
                "the directory " + data.resolve(directory()) + " cannot be read (" + e.getMessage() + "): run as root",
                e);
    }
}
