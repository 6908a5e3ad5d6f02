package dev.caisson.audit;

import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;

/// An audit's report, and files that would make findings go away: patches, and overrides for compose projects. Nothing
/// of it is in force before a person applies it.
/// @param files the contents by path below the directory that they are to be written to
/// @param refused sentences on what no change is proposed for, and why
public record Proposal(Report report, SequencedMap<String, Contents> files, List<Note> notes, List<String> refused) {
    /// The first line of every proposed file.
    public static final String MARK = "# Proposed by caisson audit --fix.";

    /// The use of a file.
    /// @param settles how many findings go away with it
    /// @param before what stands before the file's name in the command that applies it
    /// @param after what stands behind it
    public record Note(String file, String settles, String before, String after) {
        /// Returns a sentence for a file in that directory; the command can be given to sh(1).
        public String below(Path directory) {
            String path = directory.resolve(file).toString();
            return TextReport.printable(path) + ": " + settles + ": " + before + " " + ShellText.path(path) + after;
        }
    }

    /// The bytes of a file; a patch speaks the encoding of the files that it changes.
    public static final class Contents {
        private final byte[] bytes;

        /// @param bytes the whole file
        public Contents(byte[] bytes) {
            this.bytes = bytes.clone();
        }

        /// A copy of the bytes.
        public byte[] bytes() {
            return bytes.clone();
        }
    }

    /// Writes the files below a directory, which is made where it is missing. Proposals of an earlier run are replaced.
    /// @throws AuditException if one cannot be written, would lie where compose takes it up by itself, or where
    /// something lies that is no proposal
    public void writeTo(Path directory) {
        ProposalDirectory.write(directory, MARK, files);
    }
}
