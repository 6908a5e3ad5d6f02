package dev.caisson.audit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;

/// An audit's report, and files that would make findings go away: patches, and overrides for compose projects. Nothing
/// of it is in force before a person applies it.
/// @param files the contents by path below the directory that they are to be written to
public record Proposal(Report report, SequencedMap<String, Contents> files, List<Note> notes) {
    /// What a file is good for.
    /// @param settles how many findings go away with it
    /// @param command how it is applied, with `%s` for its path
    public record Note(String file, String settles, String command) {
        /// As a sentence, for a file in that directory.
        public String below(Path directory) {
            String path = directory.resolve(file).toString();
            return path + ": " + settles + ": " + command.replace("%s", path);
        }
    }

    /// The bytes of a file; a patch speaks the encoding of the files that it changes.
    public static final class Contents {
        private final byte[] bytes;

        Contents(byte[] bytes) {
            this.bytes = bytes.clone();
        }

        /// A copy of the bytes.
        public byte[] bytes() {
            return bytes.clone();
        }
    }

    /// Writes the files below a directory, which is made where it is missing.
    /// @throws AuditException if one cannot be written, or would lie where compose takes it up by itself
    public void writeTo(Path directory) {
        try {
            for (String name : files.keySet()) {
                refuseBesideProject(directory.resolve(name));
            }
            for (var file : files.entrySet()) {
                Path target = directory.resolve(file.getKey());
                Files.createDirectories(target.resolveSibling(".").normalize());
                Files.write(target, file.getValue().bytes());
            }
        } catch (IOException e) {
            throw new AuditException(
                    AuditException.Code.OUTPUT_FAILED, directory + " cannot be written to: " + e.getMessage(), e);
        }
    }

    private static void refuseBesideProject(Path target) {
        boolean inForce = target.getFileName().toString().endsWith(".yaml")
                && ComposeOverride.BASES.stream().anyMatch(name -> Files.exists(target.resolveSibling(name)));
        if (inForce) {
            throw new AuditException(
                    AuditException.Code.OPTION_INVALID,
                    target + " would be in force at once: name a directory that holds no compose project.");
        }
    }
}
