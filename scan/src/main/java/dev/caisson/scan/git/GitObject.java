package dev.caisson.scan.git;

/// An object with its content.
@SuppressWarnings("ArrayRecordComponent") // nobody compares objects
public record GitObject(Kind kind, byte[] content) {
    /// The kinds of object, by the numbers that packs have for them.
    public enum Kind {
        COMMIT,
        TREE,
        BLOB,
        TAG;

        static Kind numbered(int number) throws GitFormatException {
            if (number < 1 || number > values().length) {
                throw new GitFormatException("an object is of unknown kind " + number);
            }
            return values()[number - 1];
        }

        static Kind named(String name) throws GitFormatException {
            for (Kind kind : values()) {
                if (kind.name().equalsIgnoreCase(name)) {
                    return kind;
                }
            }
            throw new GitFormatException("an object is of an unknown kind");
        }
    }
}
